# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Read the `teleop` list of a robot spec: the operator's devices, highest priority first."""

from typing import Any

from lbm_policy_node.core.plugins import PluginError
from lbm_policy_node.core.spec.spec_actions import ActionSpec
from lbm_policy_node.core.spec.spec_limits import LimitsSpec
from lbm_policy_node.core.spec.spec_reader import SpecReader
from lbm_policy_node.core.spec.teleop_sources import (
    BUTTONS,
    JOY,
    DeadManSpec,
    GripperButtons,
    TeleopSource,
)
from lbm_policy_node.core.takeover.teleop_kind import TeleopKind, TeleopRobot
from lbm_policy_node.core.takeover.teleop_kinds import kind_names, teleop_kind


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
        SpecError: If a key is unknown, missing or wrong, two sources cannot be distinguished, or the package
            that offers a kind is broken.
    """
    robot = TeleopRobot(action, limits, base_frame)
    sources: list[TeleopSource] = []
    for entry in reader.items("teleop"):
        source = _read_source(entry, robot)
        if source.name in [other.name for other in sources]:
            raise entry.fail("name", "two sources need different names")
        if source.dead_man in [other.dead_man for other in sources]:
            text = "another source has the same dead-man switch, so this one could never drive"
            raise entry.fail("dead_man", text)
        sources.append(source)
    return tuple(sources)


def _read_source(entry: SpecReader, robot: TeleopRobot) -> TeleopSource:
    try:
        name = entry.choice("kind", kind_names())
        kind = teleop_kind(name)
    except PluginError as error:
        raise entry.fail("kind", str(error)) from error
    if kind.moves_end_effector:
        _require_end_effector(entry, robot.action)
    source = kind.read_spec(entry, _read_common(entry, name, kind, robot), robot)
    entry.close()
    return source


def _require_end_effector(entry: SpecReader, action: ActionSpec) -> None:
    count = sum(block.is_cartesian for block in action.blocks)
    if count != 1:
        text = f"it moves one ee_position or ee_pose block, this robot has {count}; kind joints moves joints"
        raise entry.fail("kind", text)


def _read_common(
    entry: SpecReader, name: str, kind: TeleopKind[Any, Any], robot: TeleopRobot
) -> TeleopSource:
    topic, message = entry.text("topic"), entry.choice("type", kind.types, kind.types[0])
    dead_man = _read_dead_man(entry.mapping("dead_man"), topic if message == JOY else None)
    joy_topic = topic if message == JOY else dead_man.topic if dead_man.type == JOY else ""
    buttons = _read_buttons(entry, joy_topic, dead_man) if entry.has("buttons") else {}
    return TeleopSource(
        kind=name,
        topic=topic,
        type=message,
        dead_man=dead_man,
        name=entry.text("name"),
        max_age_s=entry.number("max_age_s", above=0.0, default=0.25),
        buttons=buttons,
        gripper=_read_gripper(entry, buttons, robot.action, robot.limits),
    )


def _read_dead_man(reader: SpecReader, own_topic: str | None) -> DeadManSpec:
    if not any(reader.has(key) for key in ("button", "axis", "topic")):
        text = "expected the index of a Joy button (or `axis`), or the `topic` of a std_msgs/Bool"
        raise reader.fail("button", text)
    topic = reader.text("topic", own_topic)
    if reader.has("axis"):
        dead_man = _read_trigger(reader, topic)
    else:
        dead_man = DeadManSpec(topic, reader.index("button") if reader.has("button") else None)
    reader.close()
    if dead_man.type != JOY and dead_man.topic == own_topic:
        raise reader.fail("topic", "the topic carries a Joy: say which `button` or `axis`")
    return dead_man


def _read_trigger(reader: SpecReader, topic: str) -> DeadManSpec:
    if reader.has("button"):
        raise reader.fail("axis", "expected either a `button` or an `axis`")
    axis, rest = reader.index("axis"), reader.number("rest")
    threshold = reader.number("threshold", default=DeadManSpec.threshold)
    if not -1.0 <= rest <= 1.0:
        raise reader.fail("rest", "expected what the axis reports released, -1 to 1")
    if not 0.0 < threshold <= 1.0:
        raise reader.fail("threshold", "expected a share of the way, above 0 and at most 1")
    return DeadManSpec(topic, axis=axis, rest=rest, threshold=threshold)


def _read_buttons(entry: SpecReader, joy_topic: str, dead_man: DeadManSpec) -> dict[str, int]:
    reader = entry.mapping("buttons")
    if not joy_topic:
        raise entry.fail(
            "buttons", "no Joy to read them from: neither the motion nor the dead-man switch is one"
        )
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
