# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A run is resumed under its own settings only: each field of them is written and compared."""

import dataclasses
from typing import Any

import pytest

from lbm_policy_node.training.config import ModelSize, PolicyChoice, TrainConfig
from lbm_policy_node.training.resume import ResumeError, check_settings

MAY_CHANGE = {
    "steps", "checkpoint_every", "log_every", "precision", "storage", "goal_weight", "learning_rate",
    "n_action_steps", "gradient_checkpointing",
}  # fmt: skip
"""What the user may change when a run goes on (docs/training.md)."""
CHOICES = {
    "weights": "iwr", "optimizer": "adam", "precision": "bf16", "storage": "float16", "policy": "pi0",
    "pi0_size": "full", "init": "c", "tokenizer": "t", "objective": "diffusion", "action_space": "absolute",
}  # fmt: skip
TOGETHER = {
    "memory": {"memory": "lfi", "cap": 4},
    "cap": {"memory": "lfi", "cap": 5},
    "train": {"policy": "pi0", "train": "expert"},
}
FIELDS = [
    (kind, field) for kind in (TrainConfig, ModelSize, PolicyChoice) for field in dataclasses.fields(kind)
]


def _other(field: dataclasses.Field) -> dict:
    if field.name in TOGETHER:
        return TOGETHER[field.name]
    if field.name in CHOICES:
        return {field.name: CHOICES[field.name]}
    default: Any = field.default
    return {field.name: not default if isinstance(default, bool) else default + 1}


@pytest.mark.parametrize(("kind", "field"), FIELDS, ids=[field.name for _, field in FIELDS])
def test_a_run_with_another_setting_is_refused_by_name(tmp_path, kind, field):
    settings = {TrainConfig: TrainConfig(), ModelSize: ModelSize(), PolicyChoice: PolicyChoice()}
    check_settings(tmp_path, *settings.values(), dataset="d", processes=1)
    changed = settings | {kind: kind(**_other(field))}
    if field.name in MAY_CHANGE:
        check_settings(tmp_path, *changed.values(), dataset="d", processes=1)
        return
    with pytest.raises(ResumeError, match=f"[( ]{field.name}: "):
        check_settings(tmp_path, *changed.values(), dataset="d", processes=1)


def test_another_dataset_is_refused(tmp_path):
    settings = TrainConfig(), ModelSize(), PolicyChoice()
    check_settings(tmp_path, *settings, dataset="d", processes=1)
    with pytest.raises(ResumeError, match="dataset: d then, e now"):
        check_settings(tmp_path, *settings, dataset="e", processes=1)
