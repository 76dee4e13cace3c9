# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Which recorded episodes may calibrate; every one that may not is named with the reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from lbm_policy_node.core.episodes.chunk_episode import ChunkEpisode
from lbm_policy_node.core.types import ActionChunk
from lbm_policy_node.monitors.layout import ChunkLayout
from lbm_policy_node.monitors.scoring import ChunkScorer

FEWEST_CHUNKS = 2


@dataclass(frozen=True)
class CalibrationSet:
    """Episodes, sorted out.

    Attributes:
        layout: What the usable ones have in common; None where there is none.
        chunks: Name of each usable episode to its chunks.
        failed: Names of the episodes without success.
        unusable: Name and reason of the other successful ones.
    """

    layout: ChunkLayout | None
    chunks: Mapping[str, tuple[ActionChunk, ...]]
    failed: tuple[str, ...]
    unusable: tuple[tuple[str, str], ...]


def sort_out(
    episodes: Iterable[ChunkEpisode], scorer: ChunkScorer, *, checkpoint_id: str, until: str
) -> CalibrationSet:
    """Sort episodes into usable, failed and unusable ones.

    The layout is the one that most successful episodes of the checkpoint have.

    Args:
        episodes: Of any kind.
        scorer: What will score them.
        checkpoint_id: The checkpoint to calibrate.
        until: "success" leaves out the chunks after it; "end" keeps them.
    """
    failed: list[str] = []
    unusable: list[tuple[str, str]] = []
    candidates: dict[str, tuple[ActionChunk, ...]] = {}
    for episode in episodes:
        chunks = episode.until_success() if until == "success" else episode.chunks
        if not episode.success:
            failed.append(episode.episode_id)
        elif episode.episode_id in candidates:
            unusable.append((episode.episode_id, "another episode has the same name"))
        elif reason := _reason(chunks, scorer, checkpoint_id):
            unusable.append((episode.episode_id, reason))
        else:
            candidates[episode.episode_id] = chunks
    layouts = Counter(ChunkLayout.of(chunks[0]) for chunks in candidates.values())
    layout = max(layouts, key=lambda each: layouts[each], default=None)
    usable = dict(candidates)
    for name, chunks in candidates.items():
        differing = [d for c in chunks if layout for d in ChunkLayout.of(c).differences(layout).values()]
        if differing:
            unusable.append((name, "; ".join(dict.fromkeys(differing)) + " as in most episodes"))
            del usable[name]
    return CalibrationSet(layout, usable, tuple(failed), tuple(unusable))


def _reason(chunks: tuple[ActionChunk, ...], scorer: ChunkScorer, checkpoint_id: str) -> str:
    """Why the chunks of a successful episode cannot be used by themselves; empty when they can."""
    if len(chunks) < FEWEST_CHUNKS:
        return f"too short: {len(chunks)} chunks until it ends, {FEWEST_CHUNKS} are needed"
    for chunk in chunks:
        if chunk.checkpoint_id != checkpoint_id:
            return f"foreign: checkpoint is {chunk.checkpoint_id or '(unknown)'}, expected {checkpoint_id}"
        if reason := scorer.unsuitable(chunk) or scorer.defect(chunk):
            return f"chunk {chunk.chunk_id}: {reason}"
    if chunks[0].index != 0:
        return f"it begins in the middle of a run, with chunk {chunks[0].index}"
    for previous, chunk in pairwise(chunks):
        if chunk.index <= previous.index or chunk.instruction != previous.instruction:
            return f"the run was interrupted before chunk {chunk.chunk_id}, by the operator or a new run"
    return ""
