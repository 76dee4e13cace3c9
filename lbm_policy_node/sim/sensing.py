# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What the simulated robot's sensors say at this instant, as the samples that messages would become."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np

from lbm_policy_node.core.observation.samples import JointSample, PoseSample, Sample
from lbm_policy_node.core.spec.spec_streams import StreamSpec
from lbm_policy_node.sim.robot import SimulatedRobot

GRIPPER_JOINT: Final = "gripper_opening"


def sense(robot: SimulatedRobot, streams: Iterable[StreamSpec]) -> dict[str, Sample]:
    """Render the cameras and read the joints: stream name to sample.

    Args:
        robot: Perturbations of its sensors included.
        streams: Which; an image stream has the name of its camera.
    """
    images = robot.images()
    position, opening = robot.reported_proprio()
    names, joints, _ = robot.arm_joints
    proprio = JointSample(
        (*names, GRIPPER_JOINT), np.append(joints, opening), np.zeros(0), np.zeros(0)
    )  # no rates: the opening has none
    samples: dict[str, Sample] = {}
    for stream in streams:
        if stream.is_image:
            samples[stream.name] = images[stream.name]
        elif stream.is_pose:
            samples[stream.name] = PoseSample(position, robot.orientation_xyzw, stream.frame)
        else:
            samples[stream.name] = proprio
    return samples
