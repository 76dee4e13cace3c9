# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A checkpoint that does not fit the robot is told apart from one that does, difference by difference."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from lbm_policy_node.core.spec.compatibility import spec_differences
from lbm_policy_node.core.spec.robot_spec import RobotSpec


@dataclass(frozen=True)
class Image:
    key: str
    height: int = 128
    width: int = 128


@dataclass(frozen=True)
class Declaration:
    images: tuple[Image, ...] = (Image("observation.images.front"), Image("observation.images.wrist"))
    state_dim: int = 4
    action_dim: int = 4
    n_obs_steps: int = 2
    step_s: float | None = 0.05
    state_names: tuple[str, ...] | None = ("x", "y", "z", "gripper_opening")
    action_names: tuple[str, ...] | None = ("x", "y", "z", "gripper")


def test_a_fitting_policy_has_no_differences(spec: RobotSpec):
    assert spec_differences(spec, Declaration()) == []


def test_what_the_checkpoint_does_not_say_and_a_camera_it_does_not_use_are_no_differences(spec: RobotSpec):
    quiet = Declaration(step_s=None, state_names=None, action_names=None, images=Declaration().images[:1])
    assert spec_differences(spec, quiet) == []


@pytest.mark.parametrize(
    ("change", "texts"),
    [
        (
            {"images": (Image("observation.images.top"),)},
            ("observation.images.top", "observation.images.front"),
        ),
        ({"images": (Image("observation.images.front", 240, 320),)}, ("128x128", "320x240")),
        ({"state_dim": 7, "state_names": None}, ("state has 4", "the policy has 7")),
        ({"action_dim": 3, "action_names": ("a", "b", "c")}, ("action has 4", "['a', 'b', 'c']")),
        ({"action_names": ("y", "x", "z", "gripper")}, ("ordered", "['y', 'x', 'z', 'gripper']")),
        ({"state_names": ("x", "y", "z", "jaw")}, ("3: 'gripper_opening' and 'jaw'",)),
        ({"step_s": 0.1}, ("0.05", "0.1")),
        ({"n_obs_steps": 0}, ("0 observation steps",)),
    ],
)
def test_a_difference_is_spelled_out(spec: RobotSpec, change: dict[str, Any], texts: tuple[str, ...]):
    differences = spec_differences(spec, replace(Declaration(), **change))
    assert len(differences) == 1
    assert all(text in differences[0] for text in texts), differences


def test_all_differences_are_reported_at_once(spec: RobotSpec):
    wrong = Declaration(images=(Image("observation.images.top"),), state_dim=9, state_names=None, step_s=1.0)
    assert len(spec_differences(spec, wrong)) == 3
