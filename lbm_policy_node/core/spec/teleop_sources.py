# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What every teleop source of a robot spec has, of whatever kind; each kind adds its own keys."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

JOY = "sensor_msgs/msg/Joy"
BOOL = "std_msgs/msg/Bool"
BUTTONS = (
    "gripper_open",
    "gripper_close",
    "success",
    "failure",
    "discard",
    "mark",
    "start",
    "stop",
    "resume",
    "estop",
)

SourceT = TypeVar("SourceT", bound="TeleopSource")


@dataclass(frozen=True)
class DeadManSpec:
    """The dead-man switch: what the operator holds while driving.

    Attributes:
        topic: ROS topic, a Joy where there is a button or an axis, else a std_msgs/Bool.
        button: Index into the Joy's buttons, or None.
        axis: Index into the Joy's axes, for a trigger as the switch, or None.
        rest: What the axis reports released, -1 to 1. Above 0 it is pressed downwards, else upwards.
        threshold: Share of the way from `rest` to the far end (0 to 1) from which the axis counts as pressed.
    """

    topic: str
    button: int | None = None
    axis: int | None = None
    rest: float = field(default=0.0, compare=False)
    threshold: float = field(default=0.75, compare=False)

    @property
    def type(self) -> str:
        """The ROS message type of the topic."""
        return BOOL if self.button is None and self.axis is None else JOY


@dataclass(frozen=True)
class GripperButtons:
    """What the gripper buttons command.

    Attributes:
        name: Name of the action's column.
        open: Its value when open, action units.
        close: Its value when closed, action units.
    """

    name: str
    open: float
    close: float


@dataclass(frozen=True, kw_only=True)
class TeleopSource:
    """One teleop device; each kind extends this with the keys of its own.

    Attributes:
        kind: Name of the kind: joy, twist, pose, joints, or one that another package offers.
        name: Unique name, for messages and records.
        topic: ROS topic of the motion.
        type: ROS message type of the motion; default: the kind's first.
        dead_man: The dead-man switch; motion counts only while it is held.
        max_age_s: Largest age of the newest sample of the dead-man switch and of the motion while driving.
        buttons: What it is for (BUTTONS) to index into a Joy's buttons.
        gripper: What the gripper buttons command; None where there are none.
    """

    kind: str
    name: str
    topic: str
    type: str
    dead_man: DeadManSpec
    max_age_s: float = 0.25
    buttons: Mapping[str, int] = field(default_factory=dict[str, int])
    gripper: GripperButtons | None = None

    def extended(self, source: "type[SourceT]", **keys: Any) -> SourceT:
        """Return these values with a kind's own keys, as the kind's dataclass."""
        return source(**vars(self), **keys)

    @property
    def max_age_ns(self) -> int:
        """The maximum age in nanoseconds."""
        return round(self.max_age_s * 1e9)

    @property
    def joy_topic(self) -> str:
        """The Joy that the buttons are read from; empty where there is none."""
        if self.type == JOY:
            return self.topic
        return self.dead_man.topic if self.dead_man.type == JOY else ""
