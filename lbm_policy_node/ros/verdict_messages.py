# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A monitor's verdicts as messages; data/episodes/episode.py reads them back out of a recorded episode."""

import math

from lbm_msgs.msg import ActionChunk as ActionChunkMessage
from lbm_msgs.msg import MonitorVerdict

from lbm_policy_node.monitors.verdict import Level, Verdict

from .conversion import to_stamp


def verdict_message(verdict: Verdict, *, score_name: str) -> MonitorVerdict:
    """Convert a verdict.

    Args:
        verdict: Its detector is a kind, or kind:name as in "score:mmd_floored".
        score_name: Stands in the field `monitor` where the detector has no name of its own.
    """
    kind, _, name = verdict.detector.partition(":")
    message = MonitorVerdict(
        monitor=name or score_name,
        detector=kind,
        chunk_id=verdict.chunk_id,
        level=int(verdict.level),
        score=float(verdict.score),
        statistic=float(verdict.statistic),
        warn_threshold=float(verdict.warn_threshold),
        stop_threshold=float(verdict.stop_threshold),
        overlap_steps=verdict.overlap_steps,
        n_samples=verdict.n_samples,
        calibration_id=verdict.calibration_id,
        text=verdict.text,
    )
    message.header.stamp = to_stamp(verdict.stamp_ns)
    return message


def fault_message(
    chunk: ActionChunkMessage, text: str, *, score_name: str, calibration_id: str
) -> MonitorVerdict:
    """Return the verdict on a message that is no chunk; the stamp is taken as it is, sense or not."""
    message = MonitorVerdict(
        monitor=score_name,
        chunk_id=chunk.chunk_id,
        level=int(Level.FAULT),
        score=math.nan,
        statistic=math.nan,
        warn_threshold=math.nan,
        stop_threshold=math.nan,
        n_samples=chunk.n_samples,
        calibration_id=calibration_id,
        text=text,
    )
    message.header.stamp = chunk.header.stamp
    return message
