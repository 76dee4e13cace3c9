# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The teleop sources of a spec: read strictly, in order of priority."""

from typing import Any

import pytest

from helpers.teleop_robots import JOY, POSE, ROOT, TWIST, leading_robot, moving_robot, sawyer
from lbm_policy_node.core.spec.robot_spec import RobotSpec, SpecError
from lbm_policy_node.core.spec.teleop_sources import DeadManSpec
from lbm_policy_node.core.takeover.kinds.joints import LeaderSource
from lbm_policy_node.core.takeover.kinds.joy import JoySource
from lbm_policy_node.core.takeover.kinds.pose import PoseSource


def test_the_simulated_robot_is_driven_by_a_gamepad():
    (source,) = RobotSpec.load(ROOT / "config" / "robots" / "metaworld.yaml").teleop
    assert isinstance(source, JoySource)
    assert (source.topic, source.joy_topic, source.max_age_ns) == ("/joy", "/joy", 250_000_000)
    assert source.dead_man == DeadManSpec("/joy", 4) and source.dead_man.type == "sensor_msgs/msg/Joy"
    assert [(axis.axis, axis.component) for axis in source.axes] == [(0, "y"), (1, "x"), (4, "z")]
    assert source.buttons["estop"] == 1
    assert source.gripper and (source.gripper.name, source.gripper.close) == ("gripper", 1.0)


def test_sources_keep_the_order_of_the_file_and_their_defaults():
    pose, joy, twist = moving_robot(POSE, JOY, TWIST).teleop
    assert [source.name for source in (pose, joy, twist)] == ["tracker", "gamepad", "stick"]
    assert isinstance(pose, PoseSource) and pose.clutch and pose.frame == "base"
    assert pose.dead_man.type == "std_msgs/msg/Bool" and pose.joy_topic == ""


def test_a_leader_arm_moves_columns_of_other_names():
    (source,) = leading_robot(joints=["a", "b"], names=["wrist_roll", "gripper"], clutch=False).teleop
    assert isinstance(source, LeaderSource) and not source.clutch
    assert source.names == ("wrist_roll", "gripper")


def test_a_pose_source_may_read_its_buttons_from_the_joy_of_its_dead_man():
    dead_man = {"topic": "/joy", "button": 0}
    (source,) = moving_robot({**POSE, "dead_man": dead_man, "buttons": {"success": 1}}).teleop
    assert source.joy_topic == "/joy" and source.buttons == {"success": 1}


def test_a_robot_without_teleop_has_no_sources():
    values = sawyer([JOY])
    del values["teleop"]
    assert RobotSpec.from_mapping(values).teleop == ()


@pytest.mark.parametrize(
    ("source", "key"),
    [
        ({**JOY, "kind": "mouse"}, "kind"),
        ({**JOY, "type": "sensor_msgs/msg/JointState"}, "type"),
        ({**JOY, "colour": "red"}, "colour"),
        ({**JOY, "max_age_s": 0.0}, "max_age_s"),
        ({**JOY, "deadband": 1.0}, "deadband"),
        ({**JOY, "dead_man": {}}, "dead_man.button"),
        ({**JOY, "dead_man": {"button": -1}}, "dead_man.button"),
        ({**JOY, "dead_man": {"topic": "/joy"}}, "dead_man.topic"),
        ({**JOY, "dead_man": {"axis": 5}}, "dead_man.rest"),
        ({**JOY, "dead_man": {"axis": 5, "rest": 2.0}}, "dead_man.rest"),
        ({**JOY, "dead_man": {"axis": 5, "rest": 1.0, "threshold": 0.0}}, "dead_man.threshold"),
        ({**JOY, "dead_man": {"axis": 5, "rest": 1.0, "button": 4}}, "dead_man.axis"),
        ({**JOY, "dead_man": {"axis": 2, "rest": 1.0}}, "dead_man"),
        ({**JOY, "dead_man": {"button": 4, "rest": 1.0}}, "dead_man.rest"),
        ({**JOY, "axes": [{"axis": 0, "component": "x", "scale": 1, "rest": 1.5}]}, "axes[0].rest"),
        ({**JOY, "axes": [{"axis": 0, "component": "x", "scale": 1, "invert": 1}]}, "axes[0].invert"),
        ({**JOY, "axes": []}, "axes"),
        ({**JOY, "axes": [{"axis": 0, "component": "w", "scale": 1.0}]}, "axes[0].component"),
        ({**JOY, "axes": [{"axis": 0, "component": "rx", "scale": 1.0}]}, "axes[0].component"),
        ({**JOY, "axes": [{"axis": 0, "component": "x", "scale": 0}]}, "axes[0].scale"),
        ({**JOY, "axes": [{"axis": i, "component": "x", "scale": 1} for i in (0, 1)]}, "axes[1].component"),
        ({**JOY, "buttons": {"jump": 1}}, "buttons.jump"),
        ({**JOY, "buttons": {"estop": 4}}, "buttons.estop"),
        ({**JOY, "buttons": {"estop": 1, "success": 1}}, "buttons.success"),
        ({**JOY, "gripper": {"open": -9.0, "close": 1.0}}, "gripper.open"),
        ({**JOY, "gripper": {"name": "x", "open": 0.0, "close": 1.0}}, "gripper.name"),
        ({**POSE, "dead_man": {"button": 1}}, "dead_man.topic"),
        ({**POSE, "buttons": {"success": 1}}, "buttons"),
        ({**POSE, "clutch": "yes"}, "clutch"),
        ({**POSE, "max_jump_m": 0.0}, "max_jump_m"),
        ({**POSE, "kind": "joints", "joints": ["elbow"], "max_jump_rad": 0.1}, "joints"),
    ],
)
def test_a_wrong_source_is_refused_with_file_and_key(source: dict[str, Any], key: str):
    with pytest.raises(SpecError) as refused:
        RobotSpec.from_mapping(sawyer([source]), file="robot.yaml")
    assert refused.value.key == f"teleop[0].{key}"
    assert str(refused.value).startswith(f"robot.yaml: 'teleop[0].{key}'")


@pytest.mark.parametrize(("change", "key"), [({"topic": "/b"}, "name"), ({"name": "b"}, "dead_man")])
def test_two_sources_must_be_told_apart(change: dict[str, Any], key: str):
    with pytest.raises(SpecError) as refused:
        moving_robot(POSE, {**POSE, **change})
    assert refused.value.key == f"teleop[1].{key}"


def test_a_joystick_cannot_move_a_robot_without_an_end_effector_command():
    changed = {**JOY, "gripper": {"open": 0.0, "close": 1.0}}
    values = {**sawyer([]), "teleop": [changed]}
    values["action"]["blocks"] = values["action"]["blocks"][1:]
    for limits in ("position", "velocity", "acceleration", "start_jump"):
        values["limits"][limits] = {k: v for k, v in values["limits"][limits].items() if k == "gripper"}
    del values["limits"]["workspace"]
    with pytest.raises(SpecError, match=r"teleop\[0\]\.kind.*this robot has 0"):
        RobotSpec.from_mapping(values)
