# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What a replay found, as values and as JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from lbm_policy_node.monitors.verdict import Level
from lbm_policy_node.replay.comparison import Difference
from lbm_policy_node.replay.human import HumanError, joined

ALARMS = (Level.WARN, Level.STOP)


@dataclass(frozen=True, kw_only=True)
class VerdictNumbers:
    """A verdict, recorded or new, in the numbers that both have."""

    level: int
    statistic: float
    warn_threshold: float
    stop_threshold: float
    text: str

    @property
    def alarms(self) -> bool:
        """Whether it is a WARN or STOP."""
        return self.level in ALARMS


@dataclass(frozen=True, kw_only=True)
class ChunkResult:
    """A chunk that was asked for again.

    Attributes:
        chunk_id, index, stamp_ns: Of the recorded chunk; the stamp is its newest observation's.
        assumed: Its observations were aligned again, because the chunk does not name its messages.
        difference: Between the recorded and the new answer.
        mmd: Between their sample sets; NaN where there are no two samples.
        human, recorded_human: Distance of the new and of the recorded chunk to the operator's actions.
        inference_s, recorded_inference_s: Durations.
        verdict, recorded_verdict: None where there is no monitor.
    """

    chunk_id: int
    index: int
    stamp_ns: int
    assumed: bool
    difference: Difference
    mmd: float
    human: HumanError | None
    recorded_human: HumanError | None
    inference_s: float
    recorded_inference_s: float
    verdict: VerdictNumbers | None
    recorded_verdict: VerdictNumbers | None

    @property
    def new_alarm(self) -> bool:
        """The new verdict alarms more than the recorded one."""
        if self.verdict is None or not self.verdict.alarms:
            return False
        before = self.recorded_verdict
        return before is None or not before.alarms or before.level < self.verdict.level


@dataclass(frozen=True, kw_only=True)
class Lost:
    """A chunk that could not be replayed.

    Attributes:
        chunk_id, stamp_ns: Of the recorded chunk.
        why: Why its observations could not be rebuilt.
        before: All that is missing was sent before the recording began, as for the first chunk of a run.
    """

    chunk_id: int
    stamp_ns: int
    why: str
    before: bool = False


@dataclass(frozen=True, kw_only=True)
class ReplayReport:
    """One episode against one checkpoint.

    Attributes:
        path: Folder of the episode.
        episode_id: Its name.
        checkpoint: Folder of the checkpoint.
        checkpoint_id: Its weights.
        recorded_checkpoint_ids: Whose chunks are in the bag.
        calibration_id, recorded_calibration_id: Of the monitors; empty for none.
        action_names: Columns of the differences.
        human_names: Values of the human errors.
        chunks: Replayed, in order.
        lost: Not reproducible.
        broken: Chunk messages that are no chunks.
        failed: Chunks on which the policy failed.
        dropped: Messages that the recorder lost.
        start_ns: When the episode began, ROS time.
        duration_s: Of the episode, ROS time.
        human_intervals_ns: When the operator drove, ROS time.
        wall_s: Of the replay.
    """

    path: Path
    episode_id: str
    checkpoint: Path
    checkpoint_id: str
    recorded_checkpoint_ids: tuple[str, ...]
    calibration_id: str
    recorded_calibration_id: str
    action_names: tuple[str, ...]
    human_names: tuple[str, ...]
    chunks: tuple[ChunkResult, ...]
    lost: tuple[Lost, ...] = ()
    broken: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    dropped: int = 0
    start_ns: int = 0
    human_intervals_ns: tuple[tuple[int, int], ...] = ()
    duration_s: float = 0.0
    wall_s: float = field(default=0.0, compare=False)

    @property
    def same_checkpoint(self) -> bool:
        """Whether the recorded weights are the ones under test."""
        return set(self.recorded_checkpoint_ids) == {self.checkpoint_id}

    @property
    def n_recorded(self) -> int:
        """Chunk messages in the bag."""
        return len(self.chunks) + len(self.lost) + len(self.broken) + len(self.failed)

    @property
    def worst(self) -> ChunkResult | None:
        """The chunk with the largest difference."""
        return max(self.chunks, key=lambda chunk: chunk.difference.value, default=None)

    @property
    def largest_difference(self) -> float:
        """Of all chunks, in its column's unit; NaN without a chunk."""
        return self.worst.difference.value if self.worst is not None else math.nan

    @property
    def largest_mmd(self) -> float:
        """NaN where no chunk has two samples."""
        return max((c.mmd for c in self.chunks if not math.isnan(c.mmd)), default=math.nan)

    @property
    def human(self) -> HumanError | None:
        """The new chunks' error over all interventions."""
        return joined([c.human for c in self.chunks if c.human is not None])

    @property
    def recorded_human(self) -> HumanError | None:
        """The recorded chunks' error over all interventions."""
        return joined([c.recorded_human for c in self.chunks if c.recorded_human is not None])

    @property
    def speed(self) -> float:
        """Episode time per wall time."""
        return self.duration_s / self.wall_s if self.wall_s > 0.0 else math.inf

    def first_stop(self, *, recorded: bool) -> int | None:
        """Chunk id of the first STOP; None without one."""
        verdicts = ((c.chunk_id, c.recorded_verdict if recorded else c.verdict) for c in self.chunks)
        return next((i for i, v in verdicts if v is not None and v.level == Level.STOP), None)

    def alarms(self, *, recorded: bool) -> int:
        """How many chunks have a WARN or STOP."""
        verdicts = [c.recorded_verdict if recorded else c.verdict for c in self.chunks]
        return sum(verdict is not None and verdict.alarms for verdict in verdicts)

    def to_dict(self) -> dict[str, Any]:
        """JSON values; null stands for what is not there, and for infinity."""
        values = asdict(self) | {
            "path": str(self.path),
            "checkpoint": str(self.checkpoint),
            "same_checkpoint": self.same_checkpoint,
            "speed": self.speed,
            "largest_difference": self.largest_difference,
            "largest_mmd": self.largest_mmd,
            "human": asdict(self.human) if self.human else None,
            "recorded_human": asdict(self.recorded_human) if self.recorded_human else None,
            "alarms": {"recorded": self.alarms(recorded=True), "now": self.alarms(recorded=False)},
            "first_stop": {
                "recorded": self.first_stop(recorded=True),
                "now": self.first_stop(recorded=False),
            },
        }
        return _finite(values)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
