# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What the monitor remembers of the episode that runs."""

from __future__ import annotations

from dataclasses import dataclass, field

from lbm_policy_node.core.types import ActionChunk
from lbm_policy_node.monitors.alarms import Alarm
from lbm_policy_node.monitors.progress.report import ProgressReport


@dataclass
class EpisodeState:
    """One episode.

    Attributes:
        first: Its first chunk that was seen.
        newest: Its newest chunk, judged or not.
        began: Why it began, in words.
        midway: The episode ran before the monitor saw it, so nothing is an all-clear.
        previous: The chunk that the next one is compared with; None: nothing to compare with.
        stopped: The alarm that stays until the next episode.
        progress: The newest report of each progress detector.
    """

    first: ActionChunk
    newest: ActionChunk
    began: str
    midway: bool
    previous: ActionChunk | None = None
    stopped: Alarm | None = None
    progress: dict[str, ProgressReport] = field(default_factory=dict)


def begin(chunk: ActionChunk, before: EpisodeState | None, reset: str) -> EpisodeState | None:
    """Start an episode where a chunk begins one.

    Args:
        chunk: The chunk that has arrived.
        before: The episode so far; None before the first chunk and after a reset.
        reset: Why the monitor was reset since the last chunk; empty when it was not.

    Returns:
        The new episode, or None when the chunk belongs to the episode so far.
    """

    def start(began: str, *, midway: bool = False) -> EpisodeState:
        return EpisodeState(chunk, chunk, began, midway)

    if chunk.index == 0:
        return start("a run began")
    if reset:
        return start(reset)
    if before is None:
        return start(f"the monitor joined at chunk {chunk.index} of a run", midway=True)
    if chunk.instruction != before.newest.instruction:
        return start("the instruction changed")
    if chunk.index <= before.newest.index and chunk.chunk_id > before.newest.chunk_id:
        return start(f"a run began, but its chunks before number {chunk.index} are missing", midway=True)
    return None


def out_of_order(previous: ActionChunk, chunk: ActionChunk) -> str:
    """Say how a chunk comes before or twice; empty when it is newer."""
    if chunk.chunk_id <= previous.chunk_id:
        return f"chunk {chunk.chunk_id} came after chunk {previous.chunk_id}"
    if chunk.start_ns < previous.start_ns:
        early_s = (previous.start_ns - chunk.start_ns) * 1e-9
        return f"chunk {chunk.chunk_id} starts {early_s:.3f} s before chunk {previous.chunk_id}"
    return ""
