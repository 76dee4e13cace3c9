# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Recorded episodes of a tiny policy with weights, and that policy's checkpoint, whole and perturbed."""

import pytest

from helpers.replay_maker import make_checkpoint, make_recording, perturb


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory):
    """A tiny stochastic policy."""
    return make_checkpoint(tmp_path_factory.mktemp("checkpoints") / "tiny")


@pytest.fixture(scope="session")
def perturbed(checkpoint, tmp_path_factory):
    """The same with one weight matrix changed a little."""
    return perturb(checkpoint, tmp_path_factory.mktemp("checkpoints") / "perturbed")


@pytest.fixture(scope="session")
def recording(checkpoint, tmp_path_factory):
    """An episode of that policy with one intervention."""
    folder = tmp_path_factory.mktemp("episodes") / "rescued"
    return make_recording(folder, checkpoint, seconds=3.0, takeovers=((1.2, 2.0),))
