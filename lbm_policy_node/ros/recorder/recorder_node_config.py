# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The settings of the recorder node."""

from dataclasses import dataclass

from lbm_policy_node.core.settings import same_setting, setting
from lbm_policy_node.data.bags.recording_limits import MEBIBYTE, RecordingLimits

RUNS, MANUAL = "runs", "manual"


@dataclass(frozen=True)
class RecorderNodeConfig:
    """What is recorded, where, and within which bounds."""

    robot: str = setting("", "Robot spec: path of a YAML file.")
    folder: str = setting("episodes", "Where episodes are kept; made if it does not exist.")
    record: str = setting(
        RUNS,
        "runs: an episode per run of the policy, and what is asked for between runs; manual: only what is "
        "asked for by service or by the operator's buttons.",
        choices=(RUNS, MANUAL),
    )
    queue_mb: int = setting(
        RecordingLimits.queue_bytes // MEBIBYTE,
        "Payload waiting for the disk at most.",
        unit="MiB",
        low=1,
        high=65_536,
    )
    queue_messages: int = same_setting(RecordingLimits, "queue_messages")
    min_free_mb: int = setting(
        RecordingLimits.min_free_bytes // MEBIBYTE,
        "Recording stops when the disk has less space left.",
        unit="MiB",
        low=0,
        high=1_000_000,
    )
    calibration_id: str = setting(
        "", "The monitor's calibration, for the header of episodes that begin before its first verdict."
    )
    pre_roll_s: float = setting(
        0.5,
        "How much of the robot's streams from before the beginning goes into an episode, in ROS time: the "
        "policy's first chunk is computed from it.",
        unit="s",
        low=0.0,
        high=10.0,
    )
    autostart: bool = setting(True, "Configure and activate without a lifecycle manager.")

    @property
    def limits(self) -> RecordingLimits:
        """The bounds of a recording."""
        return RecordingLimits(
            queue_bytes=self.queue_mb * MEBIBYTE,
            queue_messages=self.queue_messages,
            min_free_bytes=self.min_free_mb * MEBIBYTE,
        )
