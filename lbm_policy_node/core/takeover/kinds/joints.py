# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Kind ``joints``: a leader arm whose joints move the columns of the action."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from lbm_policy_node.core.observation.samples import JointSample
from lbm_policy_node.core.reasons import Reason, ReasonCode
from lbm_policy_node.core.spec.spec_actions import TRAJECTORY
from lbm_policy_node.core.spec.spec_reader import SpecReader
from lbm_policy_node.core.spec.spec_streams import JOINT_TYPES
from lbm_policy_node.core.spec.teleop_sources import TeleopSource
from lbm_policy_node.core.takeover.teleop_checks import check_finite, jump
from lbm_policy_node.core.takeover.teleop_kind import TargetStep, TeleopKind, TeleopRobot
from lbm_policy_node.core.types import Array


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


class JointsKind(TeleopKind[LeaderSource, JointSample]):
    """Clutched or absolute joint positions; the joints are found by name."""

    types = (*JOINT_TYPES, TRAJECTORY)
    unstamped_types = (TRAJECTORY,)  # in a trajectory an empty stamp means from now on
    sample_type = JointSample
    moves_end_effector = False

    def read_spec(self, entry: SpecReader, common: TeleopSource, robot: TeleopRobot) -> LeaderSource:
        """Read `joints`, `names`, `clutch` and `max_jump_rad`."""
        joints, names = _read_names(entry, robot)
        return common.extended(
            LeaderSource,
            joints=joints,
            names=names,
            clutch=entry.flag("clutch", True),
            max_jump_rad=entry.number("max_jump_rad", above=0.0),
        )

    def read_message(self, source: LeaderSource, message: Any) -> JointSample | Reason:
        """Read a JointState, or where a JointTrajectory ends: some leaders send one point, others a goal."""
        if source.type != TRAJECTORY:
            return JointSample.from_message(message)
        if not message.points:
            text = f"{source.name}: the trajectory on {source.topic} has no points"
            return Reason(ReasonCode.OBSERVATION_WRONG_SHAPE, text)
        point = message.points[-1]
        return JointSample.of(message.joint_names, point.positions, point.velocities, point.effort)

    def check_sample(self, source: LeaderSource, sample: JointSample) -> Reason | None:
        """Check that each joint is there once and has a finite position."""
        for joint in source.joints:
            if sample.names.count(joint) != 1:
                text = (
                    f"{source.name}: '{joint}' occurs {sample.names.count(joint)} times in {source.topic}; "
                )
                return Reason(ReasonCode.OBSERVATION_WRONG_JOINTS, f"{text}it has {list(sample.names)}")
        if len(sample.position) != len(sample.names):
            text = f"{source.name}: {len(sample.position)} positions for {len(sample.names)} joints"
            return Reason(ReasonCode.OBSERVATION_WRONG_SHAPE, text)
        return check_finite(source, np.array([_position(sample, joint) for joint in source.joints]))

    def check_jump(self, source: LeaderSource, before: JointSample, after: JointSample) -> Reason | None:
        """Check the change of each joint."""
        for joint in source.joints:
            change = abs(_position(after, joint) - _position(before, joint))
            if change > source.max_jump_rad:
                return jump(source, f"'{joint}'", change, source.max_jump_rad, "rad")
        return None

    def target(self, source: LeaderSource, step: TargetStep[JointSample]) -> Array:
        """Return the leader's joints, or the anchor moved as the leader did since the reference."""
        target = step.anchor.copy()
        for joint, name in zip(source.joints, source.names, strict=True):
            column, position = step.robot.action.names.index(name), _position(step.sample, joint)
            if source.clutch:
                position += step.anchor[column] - _position(step.reference, joint)
            target[column] = position
        return target

    def device_position(self, source: LeaderSource, sample: JointSample, name: str) -> float:
        """Return where the leader's joint is that moves a column."""
        if name not in source.names:
            return float("nan")
        return _position(sample, source.joints[source.names.index(name)])


def _position(sample: JointSample, joint: str) -> float:
    return float(sample.position[sample.names.index(joint)])


def _read_names(entry: SpecReader, robot: TeleopRobot) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Read the leader's joints and the columns that they move."""
    joints = entry.words("joints")
    names = entry.words("names", joints)
    if len(names) != len(joints):
        raise entry.fail("names", f"expected {len(joints)} action names, one per joint")
    movable = [name for block in robot.action.blocks if not block.is_cartesian for name in block.names]
    for name in names:
        if name not in movable:
            key = "names" if entry.has("names") else "joints"
            raise entry.fail(key, f"'{name}' is not one of the action's joints {movable}")
    return joints, names


KIND = JointsKind()
