# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What the messages of a recorded episode say, as values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from lbm_policy_node.core.observation.samples import LazySample, Sample
from lbm_policy_node.core.types import ActionChunk, Array


class EventKind(IntEnum):
    """The numbers of lbm_msgs/msg/EpisodeEvent."""

    STARTED = 0
    ENDED = 1
    TAKEOVER = 2
    HANDBACK = 3
    INSTRUCTION_CHANGED = 4
    SUCCESS = 5
    FAILURE = 6
    DISCARDED = 7
    MARK = 8
    RESUMED = 9
    START_REQUESTED = 10
    STOP_REQUESTED = 11


class Outcome(IntEnum):
    """How an episode ended, by the last report of simulator or operator."""

    UNKNOWN = 0
    SUCCESS = 1
    FAILURE = 2
    DISCARDED = 3


@dataclass(frozen=True, eq=False)
class ControlTicks:
    """Every control tick, in order of its stamp; T ticks, A action columns.

    Attributes:
        stamps_ns: ROS time, int64 (T,).
        modes: A ControlMode each, int8 (T,).
        chunk_ids: Newest chunk behind `proposed`, int64 (T,); 0 for none.
        proposed: What the policy proposed, (T, A); a row of NaN where it proposed nothing.
        executed: What was commanded, (T, A); a row of NaN for nothing.
        enabled: False in shadow mode, bool (T,).
        reasons: Code and text of the mode.
        sources: The teleop source that drove; empty unless the operator did.
    """

    stamps_ns: Array
    modes: Array
    chunk_ids: Array
    proposed: Array
    executed: Array
    enabled: Array
    reasons: tuple[tuple[int, str], ...]
    sources: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.stamps_ns)


class RecordedChunk(NamedTuple):
    """A chunk and the ROS time at which it reached the recorder."""

    log_ns: int
    chunk: ActionChunk


@dataclass(frozen=True, kw_only=True)
class RecordedVerdict:
    """A MonitorVerdict as it was published; see the message for units."""

    log_ns: int
    stamp_ns: int
    chunk_id: int
    level: int
    monitor: str
    detector: str
    score: float
    statistic: float
    warn_threshold: float
    stop_threshold: float
    overlap_steps: int
    n_samples: int
    calibration_id: str
    text: str


@dataclass(frozen=True, kw_only=True)
class RecordedEvent:
    """An EpisodeEvent as it was published; see the message for what the fields mean."""

    stamp_ns: int
    kind: EventKind
    episode_id: str
    instruction: str
    checkpoint_id: str
    termination_reason: int
    source: str
    text: str


class RecordedSample(NamedTuple):
    """A message of one of the spec's streams, decoded when its value is asked for."""

    stream: str
    stamp_ns: int
    log_ns: int
    sample: LazySample

    @property
    def value(self) -> Sample:
        """What the message says."""
        return self.sample.decoded()
