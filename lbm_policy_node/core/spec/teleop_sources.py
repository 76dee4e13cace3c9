# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The kinds of sources that a person's commands come from, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field

JOY = "sensor_msgs/msg/Joy"
BOOL = "std_msgs/msg/Bool"
TWIST_COMPONENTS = ("x", "y", "z", "rx", "ry", "rz")
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


@dataclass(frozen=True)
class DeadManSpec:
    """What the operator holds while driving.

    Attributes:
        topic: ROS topic, a Joy where there is a button, else a std_msgs/Bool.
        button: Index into the Joy's buttons, or None for a Bool.
    """

    topic: str
    button: int | None = None

    @property
    def type(self) -> str:
        """The ROS message type of the topic."""
        return BOOL if self.button is None else JOY


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


@dataclass(frozen=True)
class AxisSpec:
    """One axis of a joystick.

    Attributes:
        axis: Index into the Joy's axes.
        component: Of the end effector's twist in the base frame, one of TWIST_COMPONENTS.
        scale: m/s (x, y, z) or rad/s (rx, ry, rz) at full deflection; its sign says which way.
    """

    axis: int
    component: str
    scale: float


@dataclass(frozen=True, kw_only=True)
class TeleopSource:
    """What all kinds of sources have.

    Attributes:
        name: Unique name, for messages and records.
        topic: ROS topic of the motion.
        type: ROS message type of the motion.
        dead_man: What must be held; motion counts only while it is.
        max_age_s: Largest age of the dead-man's and the motion's newest sample while driving.
        buttons: What it is for (BUTTONS) to index into a Joy's buttons.
        gripper: What the gripper buttons command; None where there are none.
    """

    name: str
    topic: str
    type: str
    dead_man: DeadManSpec
    max_age_s: float = 0.25
    buttons: Mapping[str, int] = field(default_factory=dict[str, int])
    gripper: GripperButtons | None = None

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


@dataclass(frozen=True, kw_only=True)
class JoySource(TeleopSource):
    """A joystick whose axes move the end effector.

    Attributes:
        axes: Which axis moves what.
        deadband: Deflection (0 to 1) below which an axis counts as at rest.
    """

    axes: tuple[AxisSpec, ...]
    deadband: float


@dataclass(frozen=True, kw_only=True)
class TwistSource(TeleopSource):
    """A stream of end-effector twists.

    Attributes:
        frame: frame_id that must arrive.
    """

    frame: str


@dataclass(frozen=True, kw_only=True)
class PoseSource(TeleopSource):
    """A stream of end-effector poses.

    Attributes:
        frame: frame_id that must arrive.
        clutch: Whether only the motion since the takeover counts; else the pose is the target.
        max_jump_m: Largest distance between two messages.
        max_jump_rad: Largest turn between two messages.
    """

    frame: str
    clutch: bool
    max_jump_m: float
    max_jump_rad: float


@dataclass(frozen=True, kw_only=True)
class LeaderSource(TeleopSource):
    """A leader arm.

    Attributes:
        joints: Joint names in its messages.
        names: The action's column that each joint moves.
        clutch: Whether only the motion since the takeover counts; else the joint positions are the target.
        max_jump_rad: Largest change of a joint between two messages (m for prismatic joints).
    """

    joints: tuple[str, ...]
    names: tuple[str, ...]
    clutch: bool
    max_jump_rad: float
