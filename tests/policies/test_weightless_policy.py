# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The weightless policy: deterministic, torch-free, and as strict as the others."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers.builders import FRONT, make_observation
from lbm_policy_node.core.types import Observation
from lbm_policy_node.policies.checkpoint.errors import CheckpointError
from lbm_policy_node.policies.checkpoint.features import Feature
from lbm_policy_node.policies.checkpoint.sidecar import Sidecar
from lbm_policy_node.policies.load import load_policy
from lbm_policy_node.policies.policy import Policy
from lbm_policy_node.policies.weightless import WeightlessConfig, create_weightless


def config(**changes: Any) -> WeightlessConfig:
    values: dict[str, Any] = {
        "input_features": {
            "observation.state": Feature("STATE", (3,)),
            "observation.images.front": Feature("VISUAL", (3, 8, 8)),
        },
        "output_features": {"action": Feature("ACTION", (2,))},
        "hold_state_indices": (2, 0),
    }
    return WeightlessConfig(**{**values, **changes})


def observation(stamp_ns: int = 0) -> Observation:
    images = {FRONT: np.zeros((8, 8, 3), np.uint8)}
    return make_observation(stamp_ns=stamp_ns, images=images, state=[1.0, 2.0, 3.0])


def load(tmp_path: Path, **changes: Any) -> Policy:
    return load_policy(create_weightless(tmp_path / "policy", config(**changes)))


def test_holds_the_named_state_values(tmp_path: Path) -> None:
    policy = load(tmp_path)
    chunk = policy.infer([observation()], n_samples=3, seed=5)
    assert chunk.shape == (3, 16, 2)
    assert np.array_equal(chunk, np.broadcast_to([3.0, 1.0], (3, 16, 2)))
    assert not policy.spec.stochastic and policy.spec.step_s == 0.05


def test_sine_starts_at_the_measured_state_and_continues_over_chunks(tmp_path: Path) -> None:
    policy = load(tmp_path, sine_amplitude=0.5, sine_period_s=0.4, step_s=0.1)
    first = policy.infer([observation()])[0, :, 1]
    assert np.allclose(first[:5], 1 + 0.5 * np.sin(np.pi / 2 * np.arange(5)), atol=1e-12)
    later = policy.infer([observation(stamp_ns=100_000_000)])[0, :, 1]
    assert later[0] == pytest.approx(1.0)
    assert np.allclose(np.diff(later[:8]), np.diff(first[1:9]), atol=1e-9), "same motion at the same time"


def test_names_come_from_the_sidecar(tmp_path: Path) -> None:
    directory = create_weightless(tmp_path / "policy", config(), Sidecar(action_names=("grip", "x")))
    assert load_policy(directory).spec.action_names == ("grip", "x")


def test_loads_and_infers_without_torch(tmp_path: Path) -> None:
    directory = create_weightless(tmp_path / "policy", config())
    program = (
        "import sys; sys.modules['torch'] = None; sys.modules['tokenizers'] = None\n"
        "from lbm_policy_node.policies.load import load_policy\n"
        f"print(load_policy({str(directory)!r}).spec.kind)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert run.stdout.strip() == "weightless", run.stderr


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"wobble": 1}, "wobble"),
        ({"hold_state_indices": [0]}, "hold_state_indices"),
        ({"hold_state_indices": [0, 3]}, "hold_state_indices"),
        ({"hold_state_indices": None}, "hold_state_indices"),
        ({"horizon": 0}, "horizon"),
        ({"n_action_steps": 17}, "n_action_steps"),
        ({"input_features": {}}, "observation.state"),
        ({"output_features": []}, "output_features"),
    ],
)
def test_bad_configuration_is_refused_by_name(tmp_path: Path, change: dict[str, Any], named: str) -> None:
    directory = create_weightless(tmp_path / "policy", config())
    file = directory / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **change}))
    with pytest.raises(CheckpointError) as error:
        load_policy(directory)
    assert named in error.value.field


def test_wrong_image_size_is_refused(tmp_path: Path) -> None:
    policy = load(tmp_path)
    bad = make_observation(images={FRONT: np.zeros((9, 8, 3), np.uint8)}, state=np.zeros(3))
    with pytest.raises(ValueError, match="has shape"):
        policy.infer([bad])
