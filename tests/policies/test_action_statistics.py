# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The spread of the actions comes from the checkpoint's own normalisation."""

import numpy as np
import pytest
from safetensors.numpy import load_file

from lbm_policy_node.paths import shared_path
from lbm_policy_node.policies.action_statistics import read_action_std
from lbm_policy_node.policies.checkpoint.errors import CheckpointError


def test_shipped_checkpoint_has_a_spread_for_each_future_step():
    folder = shared_path("checkpoints/mt10")
    stored = load_file(folder / "policy_postprocessor_step_0_unnormalizer_processor.safetensors")
    np.testing.assert_array_equal(read_action_std(folder), stored["action.std"])
    assert stored["action.std"].shape == (16, 4)


def test_checkpoint_with_only_a_range_gives_half_of_it(small_checkpoint):
    np.testing.assert_allclose(read_action_std(small_checkpoint()), [1.5, 1.5, 1.5])


def test_weightless_policy_is_refused_by_its_kind():
    with pytest.raises(CheckpointError, match=r"config\.json: type: is 'weightless', which has no action"):
        read_action_std(shared_path("checkpoints/weightless"))


def test_missing_statistics_file_is_named(small_checkpoint):
    folder = small_checkpoint()
    (folder / "policy_postprocessor.json").unlink()
    with pytest.raises(CheckpointError, match=r"policy_postprocessor\.json: file is missing"):
        read_action_std(folder)
