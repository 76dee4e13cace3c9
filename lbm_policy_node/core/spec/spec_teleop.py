# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Read the `teleop` list of a robot spec: the sources of a person's commands, highest priority first."""

from typing import Any

from lbm_policy_node.core.spec.spec_actions import POSE, TRAJECTORY, TWIST, ActionSpec
from lbm_policy_node.core.spec.spec_limits import LimitsSpec
from lbm_policy_node.core.spec.spec_reader import SpecReader
from lbm_policy_node.core.spec.spec_streams import JOINT_TYPES
from lbm_policy_node.core.spec.teleop_sources import (
    BUTTONS,
    JOY,
    TWIST_COMPONENTS,
    AxisSpec,
    DeadManSpec,
    GripperButtons,
    JoySource,
    LeaderSource,
    PoseSource,
    TeleopSource,
    TwistSource,
)

TYPES_OF_KIND = {"joy": (JOY,), "twist": (TWIST,), "pose": (POSE,), "joints": (*JOINT_TYPES, TRAJECTORY)}


def read_teleop(
    reader: SpecReader, action: ActionSpec, limits: LimitsSpec, base_frame: str
) -> tuple[TeleopSource, ...]:
    """Read the `teleop` list of the whole spec.

    Args:
        reader: Of the top level.
        action: What there is to move.
        limits: What the gripper values must respect.
        base_frame: Frame of poses and twists that name no other.

    Raises:
        SpecError: If a key is unknown, missing or wrong, or two sources cannot be told apart.
    """
    sources: list[TeleopSource] = []
    for entry in reader.items("teleop"):
        source = _read_source(entry, action, limits, base_frame)
        if source.name in [other.name for other in sources]:
            raise entry.fail("name", "two sources need different names")
        if source.dead_man in [other.dead_man for other in sources]:
            raise entry.fail(
                "dead_man", "another source has the same dead-man, so this one could never drive"
            )
        sources.append(source)
    return tuple(sources)


def _read_source(entry: SpecReader, action: ActionSpec, limits: LimitsSpec, base_frame: str) -> TeleopSource:
    kind = entry.choice("kind", tuple(TYPES_OF_KIND))
    if kind != "joints":
        _require_end_effector(entry, action)
    common = _read_common(entry, kind, action, limits)
    if kind == "joy":
        source: TeleopSource = _read_joy(entry, common, action)
    elif kind == "joints":
        source = _read_leader(entry, common, action)
    elif kind == "twist":
        source = TwistSource(**common, frame=entry.text("frame", base_frame))
    else:
        source = PoseSource(
            **common,
            frame=entry.text("frame", base_frame),
            clutch=entry.flag("clutch", True),
            max_jump_m=entry.number("max_jump_m", above=0.0),
            max_jump_rad=entry.number("max_jump_rad", above=0.0),
        )
    entry.close()
    return source


def _require_end_effector(entry: SpecReader, action: ActionSpec) -> None:
    count = sum(block.is_cartesian for block in action.blocks)
    if count != 1:
        text = f"it moves one ee_position or ee_pose block, this robot has {count}; kind joints moves joints"
        raise entry.fail("kind", text)


def _read_common(entry: SpecReader, kind: str, action: ActionSpec, limits: LimitsSpec) -> dict[str, Any]:
    types, topic = TYPES_OF_KIND[kind], entry.text("topic")
    message = entry.choice("type", types, types[0])
    dead_man = _read_dead_man(entry.mapping("dead_man"), topic if kind == "joy" else None)
    joy_topic = topic if kind == "joy" else dead_man.topic if dead_man.type == JOY else ""
    buttons = _read_buttons(entry, joy_topic, dead_man) if entry.has("buttons") else {}
    return {
        "name": entry.text("name"),
        "topic": topic,
        "type": message,
        "dead_man": dead_man,
        "max_age_s": entry.number("max_age_s", above=0.0, default=0.25),
        "buttons": buttons,
        "gripper": _read_gripper(entry, buttons, action, limits),
    }


def _read_dead_man(reader: SpecReader, own_topic: str | None) -> DeadManSpec:
    if not reader.has("button") and not reader.has("topic"):
        raise reader.fail("button", "expected the index of a Joy button, or the `topic` of a std_msgs/Bool")
    button = reader.index("button") if reader.has("button") else None
    dead_man = DeadManSpec(reader.text("topic", own_topic), button)
    reader.close()
    if button is None and dead_man.topic == own_topic:
        raise reader.fail("topic", "the topic carries a Joy: say which `button`")
    return dead_man


def _read_buttons(entry: SpecReader, joy_topic: str, dead_man: DeadManSpec) -> dict[str, int]:
    reader = entry.mapping("buttons")
    if not joy_topic:
        raise entry.fail("buttons", "no Joy to read them from: neither the motion nor the dead-man is one")
    for name in reader.names():
        if name not in BUTTONS:
            raise reader.fail(name, f"unknown key; known here: {', '.join(BUTTONS)}")
    buttons = {name: reader.index(name) for name in reader.names()}
    taken = [dead_man.button] if dead_man.topic == joy_topic else []
    for name, button in buttons.items():
        if button in taken:
            raise reader.fail(name, "this button has another use already")
        taken.append(button)
    return buttons


def _read_gripper(
    entry: SpecReader, buttons: dict[str, int], action: ActionSpec, limits: LimitsSpec
) -> GripperButtons | None:
    if not {"gripper_open", "gripper_close"} & buttons.keys():
        return None
    reader = entry.mapping("gripper")
    columns = [name for block in action.blocks if block.kind == "gripper" for name in block.names]
    name = reader.choice("name", columns, columns[0] if len(columns) == 1 else None)
    gripper = GripperButtons(name, reader.number("open"), reader.number("close"))
    low, high = limits.position[name]
    for key, value in (("open", gripper.open), ("close", gripper.close)):
        if not low <= value <= high:
            raise reader.fail(key, f"expected a value within limits.position.{name}, [{low:g}, {high:g}]")
    reader.close()
    return gripper


def _read_joy(entry: SpecReader, common: dict[str, Any], action: ActionSpec) -> JoySource:
    rotates = any(block.rotation for block in action.blocks)
    axes: list[AxisSpec] = []
    for item in entry.items("axes"):
        axis = AxisSpec(item.index("axis"), item.choice("component", TWIST_COMPONENTS), item.number("scale"))
        if axis.component in TWIST_COMPONENTS[3:] and not rotates:
            raise item.fail("component", "this robot's action has no orientation to turn")
        if axis.component in [other.component for other in axes]:
            raise item.fail("component", "another axis moves this component already")
        if axis.scale == 0.0:
            raise item.fail("scale", "expected m/s or rad/s at full deflection, not 0")
        item.close()
        axes.append(axis)
    deadband = entry.number("deadband", default=0.05)
    if not 0.0 <= deadband < 1.0:
        raise entry.fail("deadband", "expected a deflection of at least 0 and below 1")
    return JoySource(**common, axes=tuple(axes), deadband=deadband)


def _read_leader(entry: SpecReader, common: dict[str, Any], action: ActionSpec) -> LeaderSource:
    joints = entry.words("joints")
    names = entry.words("names", joints)
    if len(names) != len(joints):
        raise entry.fail("names", f"expected {len(joints)} action names, one per joint")
    movable = [n for b in action.blocks if not b.is_cartesian for n in b.names]
    for name in names:
        if name not in movable:
            raise entry.fail(
                "names" if entry.has("names") else "joints",
                f"'{name}' is not one of the action's joints {movable}",
            )
    return LeaderSource(
        **common,
        joints=joints,
        names=names,
        clutch=entry.flag("clutch", True),
        max_jump_rad=entry.number("max_jump_rad", above=0.0),
    )
