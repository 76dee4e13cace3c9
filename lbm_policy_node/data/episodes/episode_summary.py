# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""An episode in one line: how long, how it ended, how often the operator or the monitor intervened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lbm_policy_node.data.bags.bag_errors import BagError, RepairableBagError
from lbm_policy_node.data.bags.repair import is_recorded
from lbm_policy_node.data.episodes.episode import Episode, read_episode
from lbm_policy_node.data.episodes.episode_header import EpisodeHeader
from lbm_policy_node.data.episodes.episode_records import RecordedVerdict

WARN, STOP = 3, 4
"""Levels of lbm_msgs/MonitorVerdict."""


@dataclass(frozen=True, kw_only=True)
class EpisodeSummary:
    """One line of `lbm episodes list`.

    Attributes:
        path: The episode's folder.
        episode_id: Its name.
        robot: Name in the robot spec.
        instruction: Of the beginning.
        duration_s: First to last message, ROS time.
        outcome: How it ended.
        human_turns: How often the operator drove.
        human_s: For how long in all.
        warnings, stops: How often the monitor's level rose to WARN or beyond, and to STOP.
        trouble: What keeps the episode from being read; empty when nothing does.
        repairable: Whether `lbm episodes repair` is the answer.
    """

    path: Path
    episode_id: str
    robot: str = ""
    instruction: str = ""
    duration_s: float = 0.0
    outcome: str = ""
    human_turns: int = 0
    human_s: float = 0.0
    warnings: int = 0
    stops: int = 0
    trouble: str = ""
    repairable: bool = False

    @classmethod
    def read(cls, path: Path) -> EpisodeSummary:
        """Summarise an episode, also one that cannot be read."""
        name, robot, instruction = path.name, "", ""
        try:
            header = EpisodeHeader.read(path)
            name, robot, instruction = header.episode_id, header.robot, header.instruction
            return cls.of(read_episode(path))
        except BagError as error:
            trouble, repairable = str(error), isinstance(error, RepairableBagError) and not is_recorded(path)
        return cls(
            path=path,
            episode_id=name,
            robot=robot,
            instruction=instruction,
            trouble=trouble,
            repairable=repairable,
        )

    @classmethod
    def of(cls, episode: Episode) -> EpisodeSummary:
        """Summarise an episode."""
        turns = episode.human_intervals_ns
        tick_s = 1.0 / episode.spec.control_rate_hz
        return cls(
            path=episode.path,
            episode_id=episode.header.episode_id,
            robot=episode.header.robot,
            instruction=episode.header.instruction,
            duration_s=episode.duration_s,
            outcome=episode.outcome.name.lower(),
            human_turns=len(turns),
            human_s=sum((last - first) * 1e-9 + tick_s for first, last in turns),
            warnings=len(alarms(episode.verdicts, WARN)),
            stops=len(alarms(episode.verdicts, STOP)),
        )


def alarms(verdicts: Sequence[RecordedVerdict], level: int) -> list[RecordedVerdict]:
    """Return the verdicts at which a level is reached from below; UNCALIBRATED and FAULT are no alarms."""
    raised, found = False, []
    for verdict in verdicts:
        now = level <= verdict.level <= STOP
        if now and not raised:
            found.append(verdict)
        raised = now
    return found
