# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Checkpoints and observations for servers and clients."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from helpers.builders import make_observation
from helpers.places import ASSETS
from helpers.serve_process import ServeProcess
from lbm_policy_node.core.types import Observation
from lbm_policy_node.paths import shared_path
from lbm_policy_node.policies.policy import PolicySpec

GOLDEN = ASSETS / "golden" / "dit" / "flow_euler"
History = Callable[[PolicySpec], list[Observation]]


@pytest.fixture
def history() -> History:
    """Makes random observations that fit a policy."""

    def make(spec: PolicySpec) -> list[Observation]:
        draw = np.random.default_rng(7)
        return [
            make_observation(
                stamp_ns=i,
                images={f.key: draw.integers(0, 255, (f.height, f.width, 3), np.uint8) for f in spec.images},
                state=draw.uniform(-0.1, 0.1, spec.state_dim),
            )
            for i in range(spec.n_obs_steps)
        ]

    return make


@pytest.fixture(scope="session")
def golden() -> Path:
    """A tiny DiT with two observation steps."""
    return GOLDEN


@pytest.fixture(scope="session")
def weightless() -> Path:
    """The shipped policy without weights, which is deterministic and starts in a moment."""
    return shared_path("checkpoints/weightless")


@pytest.fixture(scope="session")
def golden_server(slow: None, golden: Path) -> Iterator[ServeProcess]:
    """Serves the tiny DiT to every test that does not disturb it."""
    with ServeProcess(golden) as server:
        yield server


@pytest.fixture
def server(slow: None, weightless: Path) -> Iterator[ServeProcess]:
    """Serves the policy without weights to one test, which may disturb it."""
    with ServeProcess(weightless) as process:
        yield process
