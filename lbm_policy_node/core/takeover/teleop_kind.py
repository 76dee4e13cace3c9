# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The seam for teleop devices: what a kind of device must say to drive a robot through the takeover."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

from lbm_policy_node.core.reasons import Reason
from lbm_policy_node.core.spec.spec_actions import ActionSpec
from lbm_policy_node.core.spec.spec_limits import LimitsSpec
from lbm_policy_node.core.spec.spec_reader import SpecReader
from lbm_policy_node.core.spec.teleop_sources import TeleopSource
from lbm_policy_node.core.takeover.end_effector import EndEffector
from lbm_policy_node.core.types import Array

SourceT = TypeVar("SourceT", bound=TeleopSource)
SampleT = TypeVar("SampleT")


@dataclass(frozen=True, eq=False)
class TeleopRobot:
    """What a kind may know of the robot that it drives.

    Attributes:
        action: Action layout: names, blocks and columns.
        limits: Planning limits.
        base_frame: Frame of Cartesian targets.
    """

    action: ActionSpec
    limits: LimitsSpec
    base_frame: str

    @cached_property
    def end_effector(self) -> EndEffector:
        """The one Cartesian block; only for kinds with ``moves_end_effector``."""
        return EndEffector(self.action, self.limits)


@dataclass(frozen=True, eq=False)
class TargetStep(Generic[SampleT]):
    """What the target of one control tick is computed from.

    Attributes:
        sample: The newest sample that passed the checks; never stale.
        reference: The newest sample at the moment when the clutch took hold.
        anchor: The command at that moment, normalised, shape (action_dim,), action units.
        previous: The target of the tick before, or the anchor in the first tick, shape (action_dim,).
        duration_s: Time since the tick before, 0 to 0.1 s.
        robot: The robot that is driven.
    """

    sample: SampleT
    reference: SampleT
    anchor: Array
    previous: Array
    duration_s: float
    robot: TeleopRobot


@runtime_checkable
class TeleopKind(Protocol[SourceT, SampleT]):
    """One kind of teleop device: from its keys in the robot spec to a motion target.

    A *source* is one device of the ``teleop`` list in a robot spec: a frozen dataclass that extends
    TeleopSource with the keys of its kind. A *sample* is what one ROS message says. The kind turns one into
    the other; it holds no state, reads no clock and does not raise after configure. Everything else is the
    same for all kinds and happens outside: dead-man switch, priority, message age and order, the ramp at the
    hand-over, the velocity and position limits, the leash, the gripper buttons and the records.

    **From samples to a target.** Each tick, while the source drives, the takeover calls ``target``. It
    returns where the robot should be at this tick: an action, shape (action_dim,), in the units and the
    column order of the robot spec; columns that the device does not move keep the value of ``anchor``. With
    ``s`` the newest sample, ``r`` the reference, ``a`` the anchor, ``p`` the previous target and ``dt`` the
    duration, the three usual forms are:

    - *rate*, for a device that gives a speed ``v``: ``p + v * dt``. Cut the speed to the velocity limit, so
      that the target does not run ahead of the robot; the reference is not needed.
    - *clutched*, for a device that gives a position: ``a + (s - r)``. Only the motion since the takeover
      counts, so the device may be anywhere at that moment. For orientations, as quaternions: ``(s r^-1) a``,
      the turn of the device in the base frame applied to the anchor.
    - *absolute*: ``s``. The robot goes to where the device is; a first target farther from the command than
      ``limits.start_jump`` refuses the takeover.

    The clutch takes hold at the takeover, and again in each tick in which the leash holds columns of the
    command back because the robot is stuck: then ``p`` takes the command in those columns, ``a`` becomes
    ``p`` and ``r`` becomes ``s``, so that turning back acts at once. A gripper button writes its column into
    ``a`` and ``p``. Poses and twists are in ``robot.base_frame`` unless the kind checks another frame; angles
    are in rad, rotation vectors in rad, quaternions xyzw.

    **Jumps.** What a rate sample may do is bounded by the velocity limit, so rates may jump. Positions must
    not: ``check_jump`` refuses a sample too far from the one before. That one stays in use until it is stale
    (the source's ``max_age_s``), so a lasting jump ends in a pause and never in a leap.

    To offer a kind, subclass this protocol, and name an instance in the table of teleop_kinds.py or, from
    another package, by an entry point of the group ``lbm_policy.teleop_kinds``.

    Attributes:
        types: ROS message types of the motion topic, ``"sensor_msgs/msg/Joy"``; the first is the default.
        unstamped_types: Those of them whose empty header stamp means "now". Messages without a header always
            mean that.
        sample_type: What ``read_message`` returns.
        moves_end_effector: Whether the robot must have exactly one ee_position or ee_pose block.
    """

    types: tuple[str, ...]
    unstamped_types: tuple[str, ...] = ()
    sample_type: type[SampleT]
    moves_end_effector: bool = True

    def read_spec(self, entry: SpecReader, common: TeleopSource, robot: TeleopRobot) -> SourceT:
        """Read and check the keys of this kind; the caller refuses the keys that are left over.

        Args:
            entry: One mapping of the ``teleop`` list.
            common: The keys that all kinds have, read already; ``common.extended(MySource, ...)`` adds yours.
            robot: What there is to move.

        Raises:
            SpecError: A key is missing or wrong; made by ``entry.fail`` or by the methods of the reader.
        """
        ...

    def read_message(self, source: SourceT, message: Any) -> SampleT | Reason:
        """Convert a message of the motion topic.

        Only attributes are read, so the same code takes messages of rclpy and of a recorded bag, and nothing
        here imports ROS.

        Returns:
            The sample, or why the message holds none: too few values, say.
        """
        ...

    def check_sample(self, source: SourceT, sample: SampleT) -> Reason | None:
        """Return why a sample must not be followed, or None: a wrong frame, name or shape, or NaN."""
        ...

    def check_jump(self, source: SourceT, before: SampleT, after: SampleT) -> Reason | None:
        """Return why a sample lies too far from the one before; both are checked already. Rates may jump."""
        return None

    def continued(self, source: SourceT, before: SampleT | None, sample: SampleT) -> SampleT | Reason:
        """Return a checked sample with what is known from the samples before it, or why it is not usable.

        The return value is what ``target`` gets, and the next call gets it as ``before``: so a kind without a
        state remembers what its device did, as which axes were seen at rest.

        Args:
            source: The keys of the spec.
            before: What this method returned for the last usable sample; None at the start, and after a pause
                longer than the source's ``max_age_s``.
            sample: The new one.
        """
        return sample

    def complaint(self, source: SourceT, sample: SampleT) -> str:
        """Return what the operator must do about the device's newest usable sample; empty for nothing.

        It is published while the dead-man switch is held; the sample is followed all the same.
        """
        return ""

    def target(self, source: SourceT, step: TargetStep[SampleT]) -> Array | Reason:
        """Return where the robot should be in this tick, a new array, shape (action_dim,); see the class.

        Or why it cannot be said; then the robot stays where the tick before left it, and the turn ends.
        """
        ...

    def device_position(self, source: SourceT, sample: SampleT, name: str) -> float:
        """Return the device's own value of an action column, or NaN where it has none.

        It starts a gripper of which nothing is known before the first command.
        """
        return float("nan")
