# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The parameters of the recorder node."""

from dataclasses import dataclass

from lbm_policy_node.data.bags.recording import MEBIBYTE, RecordingLimits

from ..parameters import parameter

RUNS, MANUAL = "runs", "manual"


@dataclass(frozen=True)
class RecorderNodeConfig:
    """See each description; ``ros2 param describe`` shows the same."""

    robot: str = parameter("", "Robot spec: path of a YAML file.")
    folder: str = parameter("episodes", "Where episodes are kept; made if it does not exist.")
    record: str = parameter(
        RUNS,
        "runs: an episode per run of the policy, and what is asked for between runs; manual: only what is "
        "asked for by service or by the operator's buttons.",
        choices=(RUNS, MANUAL),
    )
    queue_mb: int = parameter(256, "Payload waiting for the disk at most, MiB.", low=1, high=65_536)
    queue_messages: int = parameter(20_000, "Messages waiting for the disk at most.", low=1, high=10_000_000)
    min_free_mb: int = parameter(
        500, "Recording stops when the disk has less space left, MiB.", low=0, high=1_000_000
    )
    calibration_id: str = parameter(
        "", "The monitor's calibration, for the header of episodes that begin before its first verdict."
    )
    pre_roll_s: float = parameter(
        0.5,
        "How much of the robot's streams from before the beginning goes into an episode, s of ROS time: the "
        "policy's first chunk is computed from it.",
        low=0.0,
        high=10.0,
    )
    autostart: bool = parameter(True, "Configure and activate without a lifecycle manager.")

    @property
    def limits(self) -> RecordingLimits:
        """The bounds of a recording."""
        return RecordingLimits(
            queue_bytes=self.queue_mb * MEBIBYTE,
            queue_messages=self.queue_messages,
            min_free_bytes=self.min_free_mb * MEBIBYTE,
        )
