# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Refuse a teleop sample that must not be followed: wrong kind, frame or joints, not finite, or a jump."""

import numpy as np

from lbm_policy_node.core.observation.samples import JointSample, PoseSample
from lbm_policy_node.core.reasons import Reason, ReasonCode
from lbm_policy_node.core.rotations import angle_between
from lbm_policy_node.core.spec.teleop_sources import LeaderSource, PoseSource, TeleopSource, TwistSource
from lbm_policy_node.core.takeover.teleop_samples import TeleopSample, TwistSample
from lbm_policy_node.core.types import Array


def check_sample(source: TeleopSource, sample: TeleopSample) -> Reason | None:
    """Check one sample on its own; None when it can be followed."""
    if isinstance(source, LeaderSource):
        return _check_joints(source, sample)
    if isinstance(source, PoseSource):
        if not isinstance(sample, PoseSample):
            return _wrong_kind(source, sample)
        norm = float(np.linalg.norm(sample.orientation))
        if np.isfinite(norm) and abs(norm - 1.0) > 1e-2:
            text = f"{source.name}: the orientation has length {norm:.4g}, expected a unit quaternion"
            return Reason(ReasonCode.REQUEST_INVALID, text)
        numbers = np.concatenate((sample.position, sample.orientation))
        return _check_frame(source.frame, source, sample.frame) or _check_finite(source, numbers)
    if not isinstance(sample, TwistSample):
        return _wrong_kind(source, sample)
    frame = source.frame if isinstance(source, TwistSource) else sample.frame
    numbers = np.concatenate((sample.linear, sample.angular))
    return _check_frame(frame, source, sample.frame) or _check_finite(source, numbers)


def check_jump(source: TeleopSource, before: TeleopSample, after: TeleopSample) -> Reason | None:
    """Check how far two successive samples, checked already, lie apart; twists may jump."""
    if isinstance(before, PoseSample) and isinstance(after, PoseSample) and isinstance(source, PoseSource):
        distance_m = float(np.linalg.norm(after.position - before.position))
        if distance_m > source.max_jump_m:
            return _jump(source, "the pose", f"{distance_m:.4g} m", f"{source.max_jump_m:g} m")
        angle_rad = angle_between(_unit(before.orientation), _unit(after.orientation))
        if angle_rad > source.max_jump_rad:
            return _jump(source, "the pose", f"{angle_rad:.4g} rad", f"{source.max_jump_rad:g} rad")
    if (
        isinstance(before, JointSample)
        and isinstance(after, JointSample)
        and isinstance(source, LeaderSource)
    ):
        for joint in source.joints:
            change = abs(float(joint_position(after, joint) - joint_position(before, joint)))
            if change > source.max_jump_rad:
                return _jump(source, f"'{joint}'", f"{change:.4g} rad", f"{source.max_jump_rad:g} rad")
    return None


def joint_position(sample: JointSample, joint: str) -> float:
    """Return the position of a joint that check_sample has found."""
    return float(sample.position[sample.names.index(joint)])


def _check_joints(source: LeaderSource, sample: TeleopSample) -> Reason | None:
    if not isinstance(sample, JointSample):
        return _wrong_kind(source, sample)
    for joint in source.joints:
        if sample.names.count(joint) != 1:
            text = f"{source.name}: '{joint}' occurs {sample.names.count(joint)} times in {source.topic}; "
            return Reason(ReasonCode.OBSERVATION_WRONG_JOINTS, f"{text}it has {list(sample.names)}")
    if len(sample.position) != len(sample.names):
        text = f"{source.name}: {len(sample.position)} positions for {len(sample.names)} joints"
        return Reason(ReasonCode.OBSERVATION_WRONG_SHAPE, text)
    return _check_finite(source, np.array([joint_position(sample, joint) for joint in source.joints]))


def _wrong_kind(source: TeleopSource, sample: TeleopSample) -> Reason:
    text = f"{source.name}: a {type(sample).__name__} does not fit a source of type {source.type}"
    return Reason(ReasonCode.REQUEST_INVALID, text)


def _check_frame(expected: str, source: TeleopSource, frame: str) -> Reason | None:
    if frame == expected:
        return None
    text = f"{source.name}: {source.topic} is in frame '{frame}', the spec expects '{expected}'"
    return Reason(ReasonCode.OBSERVATION_WRONG_FRAME, text)


def _check_finite(source: TeleopSource, numbers: Array) -> Reason | None:
    if np.isfinite(numbers).all():
        return None
    return Reason(
        ReasonCode.OBSERVATION_NON_FINITE, f"{source.name}: {source.topic} holds {numbers.tolist()}"
    )


def _jump(source: TeleopSource, what: str, size: str, limit: str) -> Reason:
    text = f"{source.name}: {what} jumped by {size} between two messages, limit {limit}"
    return Reason(ReasonCode.START_JUMP, text)


def _unit(quaternion: Array) -> Array:
    return quaternion / np.linalg.norm(quaternion)
