# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A robot spec is read strictly: what it says wrong is refused with file and key."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from helpers.places import ROOT
from lbm_policy_node.core.spec.robot_spec import RobotSpec, SpecError

ROBOTS = ROOT / "config" / "robots"


def simulated_robot() -> dict[str, Any]:
    return yaml.safe_load((ROBOTS / "metaworld.yaml").read_text(encoding="utf-8"))


def changed(path: list[str | int], value: Any) -> dict[str, Any]:
    values = copy.deepcopy(simulated_robot())
    place: Any = values
    for key in path[:-1]:
        place = place[key]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return values


@pytest.mark.parametrize("path", sorted(ROBOTS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_spec_loads(path: Path):
    spec = RobotSpec.load(path)
    assert spec.state_dim == len(spec.state_names) > 0
    assert spec.action_dim == len(spec.action_names) > 0
    assert spec.images


def test_the_simulated_robot_has_the_agreed_layout():
    spec = RobotSpec.load(ROBOTS / "metaworld.yaml")
    assert spec.state_names == ("x", "y", "z", "gripper_opening")
    assert spec.action_names == ("x", "y", "z", "gripper")
    assert (spec.step_ns, spec.action.lead_ns, spec.max_skew_ns) == (50_000_000, 50_000_000, 60_000_000)
    assert [stream.name for stream in spec.observation_streams] == ["front", "wrist", "ee_pose", "joints"]
    assert [stream.name for stream in spec.feedback_streams] == ["ee_pose"]


@pytest.mark.parametrize(
    ("robot", "state_dim", "action_dim", "topics"),
    [
        ("franka_fr3", 8, 8, ["/fr3_arm_controller/joint_trajectory", "/fr3_gripper/command"]),
        (
            "ur5e",
            7,
            7,
            ["/scaled_joint_trajectory_controller/joint_trajectory", "/gripper_position_controller/commands"],
        ),
        ("so101", 6, 6, ["/follower/forward_controller/commands"]),
        (
            "aloha",
            14,
            14,
            [
                f"/follower_{side}/{part}"
                for side in ("left", "right")
                for part in ("arm_controller/joint_trajectory", "gripper_controller/commands")
            ],
        ),
    ],
)
def test_the_starting_points_have_the_layout_of_their_robot(
    robot: str, state_dim: int, action_dim: int, topics: list[str]
):
    spec = RobotSpec.load(ROBOTS / f"{robot}.yaml")
    assert (spec.state_dim, spec.action_dim) == (state_dim, action_dim)
    assert list(spec.action.by_topic()) == topics


@pytest.mark.parametrize(
    ("path", "value", "key"),
    [
        (["colour"], "red", "colour"),
        (["streams", "front", "rate"], 30, "streams.front.rate"),
        (["action", "blocks", 0, "scale"], 2.0, "action.blocks[0].scale"),
        (["limits", "velocity", "w"], 1.0, "limits.velocity.w"),
        (["step_s"], "fast", "step_s"),
        (["step_s"], True, "step_s"),
        (["step_s"], float("nan"), "step_s"),
        (["step_s"], 0, "step_s"),
        (["max_skew_s"], None, "max_skew_s"),
        (["streams", "front", "max_age_s"], -1.0, "streams.front.max_age_s"),
        (["streams", "front", "type"], "sensor_msgs/msg/Imu", "streams.front.type"),
        (["streams", "front"], "camera", "streams.front"),
        (
            ["images", "observation.images.front", "stream"],
            "joints",
            "images.observation.images.front.stream",
        ),
        (["images", "observation.images.front", "height"], 128.5, "images.observation.images.front.height"),
        (["images", "front"], {"stream": "front", "height": 1, "width": 1}, "images.front"),
        (["state"], [], "state"),
        (["state", 0, "fields"], ["x", "roll"], "state[0].fields"),
        (["state", 1, "joints"], ["a", "a"], "state[1].joints"),
        (["state", 1, "joints"], [True], "state[1].joints"),
        (["state", 1, "joints"], ["x"], "state"),
        (["state", 1, "names"], ["a", "b"], "state[1].names"),
        (["action", "lead_s"], -0.1, "action.lead_s"),
        (["action", "blocks", 0, "kind"], "torque", "action.blocks[0].kind"),
        (["action", "blocks", 0, "names"], ["x", "y"], "action.blocks[0].names"),
        (["action", "blocks", 0, "feedback"], None, "action.blocks[0].feedback"),
        (
            ["action", "blocks", 0, "output", "orientation"],
            [0, 0, 0, 0],
            "action.blocks[0].output.orientation",
        ),
        (["action", "blocks", 1, "names"], ["x"], "action.blocks"),
        (["action", "blocks", 1, "output", "topic"], "/target_pose", "action.blocks"),
        (["limits", "position", "x"], [1.0, -1.0], "limits.position.x"),
        (["limits", "position", "gripper"], None, "limits.position.gripper"),
        (["limits", "velocity", "x"], None, "limits.velocity.x"),
        (["limits", "acceleration", "x"], -1.0, "limits.acceleration.x"),
        (["limits", "leash"], 0.1, "limits.leash"),
        (["limits", "leash"], {"x": 0.0}, "limits.leash.x"),
        (["limits", "leash"], {"gripper": 0.1}, "limits.leash.gripper"),
        (["limits", "workspace"], None, "limits.workspace"),
        (["limits", "workspace", "max"], [0.0, 0.0, 0.0], "limits.workspace.max"),
        (["teleop"], {"topic": "/joy"}, "teleop"),
    ],
)
def test_a_wrong_spec_is_refused_with_file_and_key(path: list[str | int], value: Any, key: str):
    with pytest.raises(SpecError) as refused:
        RobotSpec.from_mapping(changed(path, value), file="robot.yaml")
    assert refused.value.key == key
    assert str(refused.value).startswith(f"robot.yaml: '{key}'")


def test_a_limit_is_left_out_only_on_purpose():
    spec = RobotSpec.from_mapping(changed(["limits", "acceleration", "x"], float("inf")))
    assert spec.limits.acceleration["x"] == float("inf")


def test_a_leash_is_given_for_single_columns_and_the_others_keep_their_default():
    spec = RobotSpec.from_mapping(changed(["limits", "leash"], {"y": 0.05, "z": float("inf")}))
    assert spec.limits.leash == {"x": 0.15, "y": 0.05, "z": float("inf")}


def test_joints_have_a_leash_and_grippers_have_none():
    leash = RobotSpec.load(ROBOTS / "so101.yaml").limits.leash
    assert leash["shoulder_pan"] == 0.3 and leash["gripper"] == float("inf")
    values = yaml.safe_load((ROBOTS / "so101.yaml").read_text(encoding="utf-8"))
    for unit, expected in (("m", 0.15), ("normalized", float("inf"))):
        values["action"]["blocks"][0]["unit"] = unit
        assert RobotSpec.from_mapping(values).limits.leash["shoulder_pan"] == expected


def test_an_unreadable_file_is_refused_with_its_name(tmp_path: Path):
    with pytest.raises(SpecError, match=r"missing\.yaml"):
        RobotSpec.load(tmp_path / "missing.yaml")
    broken = tmp_path / "broken.yaml"
    broken.write_text("streams: [", encoding="utf-8")
    with pytest.raises(SpecError, match=r"broken\.yaml.*valid YAML"):
        RobotSpec.load(broken)
    broken.write_text("- 1", encoding="utf-8")
    with pytest.raises(SpecError, match="mapping"):
        RobotSpec.load(broken)
