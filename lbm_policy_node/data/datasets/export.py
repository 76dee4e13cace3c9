# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""One recorded episode into steps of a dataset: observations, actions, who drove, and the monitor's verdicts.

```
observation at its stamp c      o---------o---------o
action due at c + lead              a---------a---------a     who drove the step: who drove then
```
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np

from lbm_policy_node.core.episodes.labels import PRE_INTERVENTION_S, StepMode, interventions, step_classes
from lbm_policy_node.core.execution.arbitration import ControlMode
from lbm_policy_node.core.settings import setting
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.types import Array
from lbm_policy_node.data.datasets.features import CLASS_KEY, MODE_KEY, Features
from lbm_policy_node.data.datasets.staging import EpisodeStage, StagedEpisode
from lbm_policy_node.data.episodes.episode import Episode
from lbm_policy_node.data.episodes.episode_actions import ActionTimeline, Driving, Moment
from lbm_policy_node.data.episodes.episode_records import EventKind, Outcome
from lbm_policy_node.data.episodes.episode_steps import GridStep, grid_steps
from lbm_policy_node.data.episodes.step_verdicts import VerdictTimeline

MOST_UNSEEN = 0.1
"""An episode is refused when more than this share of its driven steps has no observation."""
_SCALARS = {
    "policy_action_valid": "bool",
    "intervention": "bool",
    MODE_KEY: "int64",
    CLASS_KEY: "int64",
    "monitor.level": "int64",
    "monitor.score": "float32",
    "monitor.statistic": "float32",
    "monitor.valid": "bool",
    "next.success": "bool",
    "next.done": "bool",
    "stamp_ns": "int64",  # not observation.stamp_ns: LeRobot takes all that begins so for a policy's input
}


class ExportError(ValueError):
    """An episode that cannot become part of a dataset; names the episode and what is wrong."""


@dataclass(frozen=True, kw_only=True)
class ExportSettings:
    """How labels are derived."""

    pre_intervention_s: float = setting(
        PRE_INTERVENTION_S,
        "How long before a takeover the policy's steps count as pre-intervention.",
        unit="s",
    )
    instruction: str = setting("", "For episodes that were recorded without one.")

    def __post_init__(self) -> None:
        if not 0.0 <= self.pre_intervention_s < np.inf:
            raise ValueError(f"pre_intervention_s must be 0 or more seconds, is {self.pre_intervention_s}")


def export_features(spec: RobotSpec) -> Features:
    """Return the columns of a dataset of this robot."""
    return Features(
        vectors={
            "observation.state": spec.state_names,
            "action": spec.action_names,
            "policy_action": spec.action_names,
        },
        cameras={key: (image.height, image.width) for key, image in spec.images.items()},
        scalars=_SCALARS,
    )


def frame_rate(spec: RobotSpec) -> int:
    """Return the steps per second of a dataset of this robot.

    Raises:
        ExportError: The step is no whole fraction of a second, which the format cannot express.
    """
    fps = round(1.0 / spec.step_s)
    if fps < 1 or abs(fps * spec.step_s - 1.0) > 1e-6:
        text = f"step_s of {spec.file} is {spec.step_s:g} s, which is {1 / spec.step_s:.3f} steps per second"
        raise ExportError(f"{text}; a LeRobotDataset needs a whole number")
    return fps


def check_exportable(episode: Episode) -> list[str]:
    """Return warnings about an episode before anything is decoded.

    Raises:
        ExportError: It lacks a topic, or nothing in it was commanded.
    """
    path, spec, counts = episode.path, episode.spec, episode.counts
    if not len(episode.ticks):
        topic = episode.header.roles.get("control_state", "control_state")
        raise ExportError(f"'{path}': nothing was recorded on {topic}, so who drove is not known")
    silent = [s for s in spec.observation_streams if not counts.get(s.topic)]
    if silent:
        names = ", ".join(f"{stream.topic} (stream '{stream.name}')" for stream in silent)
        raise ExportError(f"'{path}': nothing was recorded on {names}; no step has a whole observation")
    if not episode.ticks.enabled.any():
        text = "it was recorded in shadow mode (control_enabled false)"
        raise ExportError(f"'{path}': {text}: what it calls executed has never moved the robot")
    warnings: list[str] = []
    if episode.broken_chunks:
        warnings.append(f"{len(episode.broken_chunks)} broken chunks; the first: {episode.broken_chunks[0]}")
    if episode.dropped:
        warnings.append(f"the recorder lost {episode.dropped} messages")
    if episode.outcome is Outcome.UNKNOWN:
        warnings.append("no outcome was reported; it counts as no success")
    return warnings


class _Step(NamedTuple):
    """What becomes a row: an observation's stamp and state, and what was done then."""

    stamp_ns: int
    state: Array
    moment: Moment


class EpisodeExport:
    """Turns one episode into a staged one."""

    def __init__(self, episode: Episode, settings: ExportSettings) -> None:
        """Take an episode that `check_exportable` let pass."""
        self._episode, self._settings = episode, settings
        self._actions = ActionTimeline(episode.spec, episode.ticks)
        self._verdicts = VerdictTimeline(episode)
        self._steps: list[_Step] = []
        self._left_out: dict[Driving, int] = dict.fromkeys(Driving, 0)
        self._unseen: list[GridStep] = []

    def run(self, stage: EpisodeStage, on_step: Callable[[int], None]) -> tuple[StagedEpisode, list[str]]:
        """Stage the episode.

        Args:
            stage: Where it goes; finished or aborted afterwards.
            on_step: Called with the ROS time of each place of the grid, for a progress bar.

        Returns:
            The staged episode, and warnings.

        Raises:
            ExportError: There are no steps, too many have no observation, or no instruction.
            BagError: The bag is damaged.
        """
        try:
            for step in grid_steps(self._episode):
                self._take(step, stage)
                on_step(step.time_ns)
            self._check()
            staged = stage.finish(self._columns(), self._tasks(), episode_source(self._episode))
        except BaseException:
            stage.abort()
            raise
        return staged, self._warnings()

    def _take(self, step: GridStep, stage: EpisodeStage) -> None:
        seen = step.observation
        stamp_ns = seen.stamp_ns if seen else step.time_ns
        moment = self._actions.at(stamp_ns + self._episode.spec.action.lead_ns)
        if moment.driving is not Driving.DRIVEN:
            self._left_out[moment.driving] += 1
        elif seen is None:
            self._unseen.append(step)
        else:
            stage.push(seen.images)
            self._steps.append(_Step(seen.stamp_ns, seen.state, moment))  # images are not kept

    def _check(self) -> None:
        path, kept = self._episode.path, len(self._steps)
        if self._unseen and len(self._unseen) > MOST_UNSEEN * (kept + len(self._unseen)):
            text = f"{len(self._unseen)} of {kept + len(self._unseen)} driven steps have no observation"
            reason = self._unseen[0].reason
            period = f"{self._episode.spec.step_s:g} s, the spec's step_s"
            why = f"first: {reason.text}" if not reason.ok else f"cameras are slower than one in {period}"
            raise ExportError(f"'{path}': {text}; {why}")
        if not kept:
            raise ExportError(
                f"'{path}': neither the policy nor the operator drove while there were observations; no steps"
            )

    def _tasks(self) -> list[str]:
        header = self._episode.header
        changes = [(header.started_ns, header.instruction)]
        changes += [
            (event.stamp_ns, event.instruction)
            for event in self._episode.events
            if event.instruction and event.kind in (EventKind.STARTED, EventKind.INSTRUCTION_CHANGED)
        ]
        times = np.array([time_ns for time_ns, _ in changes])
        at = np.maximum(np.searchsorted(times, self._stamps(), side="right") - 1, 0)
        tasks = [changes[i][1] or self._settings.instruction for i in at]
        if not all(tasks):
            text = "has no instruction; record it with one, or give one with --instruction"
            raise ExportError(f"'{self._episode.path}': {text}")
        return tasks

    def _columns(self) -> Mapping[str, Array]:
        moments = [step.moment for step in self._steps]
        executed = np.array([moment.executed for moment in moments])
        valid = np.array([moment.proposed is not None for moment in moments])
        proposed = np.array([m.executed if m.proposed is None else m.proposed for m in moments])
        modes, stamps = self._modes(moments), self._stamps()
        verdicts = [self._verdicts.at(int(stamp_ns)) for stamp_ns in stamps]
        last = np.arange(len(moments)) == len(moments) - 1
        return {
            "observation.state": np.array([step.state for step in self._steps]),
            "action": executed.astype(np.float32),
            "policy_action": proposed.astype(np.float32),
            "policy_action_valid": valid,
            "intervention": interventions(modes),
            MODE_KEY: modes,
            CLASS_KEY: step_classes(modes, stamps, window_s=self._settings.pre_intervention_s).astype(int),
            "monitor.level": np.array([verdict.level for verdict in verdicts]),
            "monitor.score": np.array([verdict.score for verdict in verdicts], np.float32),
            "monitor.statistic": np.array([verdict.statistic for verdict in verdicts], np.float32),
            "monitor.valid": np.array([verdict.valid for verdict in verdicts]),
            "next.success": last & (self._episode.outcome is Outcome.SUCCESS),
            "next.done": last,
            "stamp_ns": stamps,
        }

    def _modes(self, moments: list[Moment]) -> Array:
        human = StepMode.DEMO if is_demonstration(self._episode) else StepMode.HUMAN
        modes = [human if moment.mode is ControlMode.HUMAN else StepMode.ROBOT for moment in moments]
        return np.array(modes, np.int64)

    def _stamps(self) -> Array:
        return np.array([step.stamp_ns for step in self._steps], np.int64)

    def _warnings(self) -> list[str]:
        warnings: list[str] = []
        if self._unseen:
            reason = self._unseen[0].reason
            why = f", first: {reason.text}" if not reason.ok else ""
            warnings.append(f"{len(self._unseen)} driven steps without an observation are left out{why}")
        if count := self._left_out[Driving.SHADOW]:
            warnings.append(f"{count} steps in shadow mode are left out")
        return warnings


def is_demonstration(episode: Episode) -> bool:
    """Whether there was no policy: then everything the operator did is a demonstration, not a correction."""
    by_policy = (episode.ticks.modes == ControlMode.POLICY).any()
    return not (episode.chunks or episode.broken_chunks or episode.header.checkpoint_id or by_policy)


def episode_source(episode: Episode) -> dict[str, Any]:
    """Return where an episode comes from, for meta/lbm_policy.json."""
    header = episode.header
    return {
        "episode_id": header.episode_id,
        "recorded_ns": round(datetime.fromisoformat(header.started_at).timestamp() * 1e9),
        "outcome": episode.outcome.name.lower(),
        "checkpoint_id": header.checkpoint_id,
        "calibration_id": header.calibration_id,
        "software_version": header.software_version,
    }
