# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Kind ``pose``: a stream of end-effector poses, as a tracker, a VR controller or a pen sends them."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from lbm_policy_node.core.observation.samples import PoseSample
from lbm_policy_node.core.reasons import Reason, ReasonCode
from lbm_policy_node.core.rotations import geodesic_angle, quaternion_to_matrix, rotation_vector_between, unit
from lbm_policy_node.core.spec.spec_actions import POSE
from lbm_policy_node.core.spec.spec_reader import SpecReader
from lbm_policy_node.core.spec.teleop_sources import TeleopSource
from lbm_policy_node.core.takeover.teleop_checks import check_finite, check_frame, jump
from lbm_policy_node.core.takeover.teleop_kind import TargetStep, TeleopKind, TeleopRobot
from lbm_policy_node.core.types import Array


@dataclass(frozen=True, kw_only=True)
class PoseSource(TeleopSource):
    """A stream of end-effector poses.

    Attributes:
        frame: frame_id that must arrive; default: the robot's base_frame.
        clutch: Whether only the motion since the takeover counts; else the pose is the target.
        max_jump_m: Largest distance between two messages.
        max_jump_rad: Largest turn between two messages.
    """

    frame: str
    clutch: bool
    max_jump_m: float
    max_jump_rad: float


class PoseKind(TeleopKind[PoseSource, PoseSample]):
    """Clutched or absolute poses."""

    types = (POSE,)
    sample_type = PoseSample

    def read_spec(self, entry: SpecReader, common: TeleopSource, robot: TeleopRobot) -> PoseSource:
        """Read `frame`, `clutch`, `max_jump_m` and `max_jump_rad`."""
        return common.extended(
            PoseSource,
            frame=entry.text("frame", robot.base_frame),
            clutch=entry.flag("clutch", True),
            max_jump_m=entry.number("max_jump_m", above=0.0),
            max_jump_rad=entry.number("max_jump_rad", above=0.0),
        )

    def read_message(self, source: PoseSource, message: Any) -> PoseSample:
        """Read a PoseStamped."""
        return PoseSample.from_message(message)

    def check_sample(self, source: PoseSource, sample: PoseSample) -> Reason | None:
        """Check the length of the quaternion, the frame, and that all numbers are finite."""
        norm = float(np.linalg.norm(sample.orientation))
        if np.isfinite(norm) and abs(norm - 1.0) > 1e-2:
            text = f"{source.name}: the orientation has length {norm:.4g}, expected a unit quaternion"
            return Reason(ReasonCode.REQUEST_INVALID, text)
        numbers = np.concatenate((sample.position, sample.orientation))
        return check_frame(source, sample.frame, source.frame) or check_finite(source, numbers)

    def check_jump(self, source: PoseSource, before: PoseSample, after: PoseSample) -> Reason | None:
        """Check the distance and the turn between two poses."""
        distance_m = float(np.linalg.norm(after.position - before.position))
        if distance_m > source.max_jump_m:
            return jump(source, "the pose", distance_m, source.max_jump_m, "m")
        angle_rad = geodesic_angle(unit(before.orientation), unit(after.orientation))
        if angle_rad > source.max_jump_rad:
            return jump(source, "the pose", angle_rad, source.max_jump_rad, "rad")
        return None

    def target(self, source: PoseSource, step: TargetStep[PoseSample]) -> Array:
        """Return the pose itself, or the anchor moved and turned as the device was since the reference."""
        effector, target = step.robot.end_effector, step.anchor.copy()
        orientation = unit(step.sample.orientation)
        if not source.clutch:
            target[effector.position] = step.sample.position
            effector.set_orientation(target, orientation)
            return target
        target[effector.position] += step.sample.position - step.reference.position
        first = unit(step.reference.orientation)
        in_base = quaternion_to_matrix(first) @ rotation_vector_between(first, orientation)
        effector.turn(target, step.anchor, in_base)
        return target


KIND = PoseKind()
