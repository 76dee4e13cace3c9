# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Recorded episodes in words: a row of a list, and the story of one."""

from lbm_policy_node.data.episodes.episode import Episode
from lbm_policy_node.data.episodes.episode_summary import EpisodeSummary

COLUMNS = ("episode", "robot", "duration", "outcome", "human", "alarms", "instruction")


def summary_row(summary: EpisodeSummary) -> tuple[str, ...]:
    """Return an episode's cells in a list, in the order of COLUMNS."""
    if summary.trouble:
        state = "needs repair" if summary.repairable else "unreadable"
        return (summary.episode_id, summary.robot, "", state, "", "", summary.instruction)
    human = f"{summary.human_turns} x, {summary.human_s:.1f} s" if summary.human_turns else "-"
    alarms = f"{summary.warnings} / {summary.stops}" if summary.warnings or summary.stops else "-"
    duration = f"{summary.duration_s:.1f} s"
    return (
        summary.episode_id,
        summary.robot,
        duration,
        summary.outcome,
        human,
        alarms,
        summary.instruction,
    )


def story(episode: Episode) -> list[str]:
    """Return what happened in an episode, line by line."""
    header, summary = episode.header, EpisodeSummary.of(episode)
    lines = [
        f"{header.episode_id}: '{header.instruction}' on {header.robot}, begun {header.started_at}",
        f"duration {episode.duration_s:.2f} s, outcome {summary.outcome}",
        f"policy {header.checkpoint_id or 'none'}, {len(episode.chunks)} chunks"
        + (f", {len(episode.broken_chunks)} broken" if episode.broken_chunks else ""),
        f"monitor: {len(episode.verdicts)} verdicts, {summary.warnings} x WARN, {summary.stops} x STOP",
        f"human: {summary.human_turns} x, {summary.human_s:.2f} s in all",
    ]
    lines += [f"  {_at(episode, a)} to {_at(episode, b)}" for a, b in episode.human_intervals_ns]
    lines.append(f"messages: {sum(episode.counts.values())}, lost by the recorder: {episode.dropped}")
    lines += [f"  {count:6d} {topic}" for topic, count in sorted(episode.counts.items())]
    lines.append("events:")
    for event in episode.events:
        text = f" ({event.text})" if event.text else ""
        lines.append(f"  {_at(episode, event.stamp_ns)} {event.kind.name} by {event.source or '-'}{text}")
    return lines


def _at(episode: Episode, stamp_ns: int) -> str:
    return f"{(stamp_ns - episode.start_ns) * 1e-9:8.3f} s"
