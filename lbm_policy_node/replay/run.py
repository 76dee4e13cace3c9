# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Replay one episode: rebuild, ask, judge, compare."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from lbm_policy_node.core.episodes.interruptions import Interruptions
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.types import ActionChunk
from lbm_policy_node.data.bags.bags import Bag, BagError
from lbm_policy_node.data.episodes.episode import Episode, read_episode
from lbm_policy_node.data.episodes.episode_records import RecordedVerdict
from lbm_policy_node.replay.candidate import Candidate
from lbm_policy_node.replay.chunk_inputs import find_inputs
from lbm_policy_node.replay.comparison import Comparer
from lbm_policy_node.replay.human import HumanActions
from lbm_policy_node.replay.rebuild import Rebuilt, rebuild
from lbm_policy_node.replay.report import ChunkResult, Lost, ReplayReport, VerdictNumbers

OnChunk = Callable[[int, int], None]
"""Called with the number of chunks done and of all."""


def replay(
    path: Path, candidate: Candidate, *, spec: RobotSpec | None = None, on_chunk: OnChunk | None = None
) -> ReplayReport:
    """Replay an episode with a checkpoint.

    Args:
        path: Folder of the episode.
        candidate: The checkpoint.
        spec: Robot spec; None is the one of the recording.
        on_chunk: Hears of progress.

    Raises:
        BagError: The bag cannot be read, lacks a stream, or has no chunk.
        CheckpointError: The checkpoint does not fit the robot.
        ValueError: The calibration does not fit the robot.
    """
    began = time.perf_counter()
    episode = read_episode(path)
    spec = spec or episode.spec
    candidate.require_fit(spec)
    _require_chunks(episode)
    collected = _Collected(episode, candidate, spec)
    with Bag(path) as bag:
        inputs = find_inputs(bag, spec, episode.chunks, candidate.policy.spec.n_obs_steps)
        for number, rebuilt in enumerate(rebuild(bag, spec, inputs), start=1):
            collected.add(rebuilt)
            if on_chunk is not None:
                on_chunk(number, len(inputs))
    return collected.report(time.perf_counter() - began)


def _require_chunks(episode: Episode) -> None:
    if episode.chunks or episode.broken_chunks:
        return
    topic = episode.header.roles.get("action_chunks", "action_chunks")
    text = f"{topic} has no message, so there is nothing to replay"
    raise BagError(f"'{episode.path}': {text}; was the episode recorded without a policy?")


@dataclass
class _Collected:
    """The results so far."""

    episode: Episode
    candidate: Candidate
    spec: RobotSpec
    chunks: list[ChunkResult] = field(default_factory=list)
    lost: list[Lost] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        calibration = self.candidate.calibration
        self._comparer = Comparer(self.spec.action, calibration.scale if calibration else None)
        self._human = HumanActions(self.episode, self.spec.action)
        self._judge = _Judge(self.episode, self.candidate, self.spec)
        self._verdicts = {(v.chunk_id, v.stamp_ns): v for v in self.episode.verdicts}

    def add(self, rebuilt: Rebuilt) -> None:
        """Ask the policy again, or note why not."""
        chunk = rebuilt.inputs.chunk
        why = rebuilt.why or self._incomparable(chunk)
        if why:
            before = {stamp_ns <= self.episode.start_ns for _, stamp_ns in rebuilt.missing} == {True}
            stamp_ns = chunk.observation_stamp_ns
            self.lost.append(Lost(chunk_id=chunk.chunk_id, stamp_ns=stamp_ns, why=why, before=before))
            self._judge.pass_over(chunk, rebuilt.inputs.log_ns)
            return
        try:
            answer = self.candidate.answer(rebuilt)
        except Exception as error:  # whatever a policy raises is a finding, as in the policy node
            self.failed.append(f"the policy failed on chunk {chunk.chunk_id}: {error}")
            return
        self.chunks.append(self._result(rebuilt, answer))

    def report(self, wall_s: float) -> ReplayReport:
        """Sum up."""
        calibration = self.candidate.calibration
        return ReplayReport(
            path=self.episode.path,
            episode_id=self.episode.header.episode_id,
            checkpoint=self.candidate.path,
            checkpoint_id=self.candidate.policy.spec.checkpoint_id,
            recorded_checkpoint_ids=tuple(sorted({c.checkpoint_id for _, c in self.episode.chunks})),
            calibration_id=calibration.id if calibration else "",
            recorded_calibration_id=next(
                (v.calibration_id for v in self.episode.verdicts if v.calibration_id), ""
            ),
            action_names=self.spec.action_names,
            human_names=self._human.names,
            chunks=tuple(self.chunks),
            lost=tuple(self.lost),
            broken=self.episode.broken_chunks,
            failed=tuple(self.failed),
            dropped=self.episode.dropped,
            start_ns=self.episode.start_ns,
            human_intervals_ns=tuple(self.episode.human_intervals_ns),
            duration_s=self.episode.duration_s,
            wall_s=wall_s,
        )

    def _incomparable(self, chunk: ActionChunk) -> str:
        if chunk.action_names != self.spec.action_names:
            return f"it has the columns {list(chunk.action_names)}, the robot {list(self.spec.action_names)}"
        if chunk.guided and not len(chunk.samples):
            return "it was guided on purpose and carries no unguided samples"
        return ""

    def _result(self, rebuilt: Rebuilt, answer: ActionChunk) -> ChunkResult:
        chunk = rebuilt.inputs.chunk
        recorded = self._verdicts.get((chunk.chunk_id, chunk.observation_stamp_ns))
        return ChunkResult(
            chunk_id=chunk.chunk_id,
            index=chunk.index,
            stamp_ns=chunk.observation_stamp_ns,
            assumed=rebuilt.inputs.assumed,
            difference=self._comparer.difference(chunk, answer),
            mmd=self._comparer.mmd(chunk, answer),
            human=self._human.error(answer),
            recorded_human=self._human.error(chunk),
            inference_s=answer.inference_s,
            recorded_inference_s=chunk.inference_s,
            verdict=self._judge(answer, rebuilt.inputs.log_ns),
            recorded_verdict=_numbers(recorded) if recorded else None,
        )


class _Judge:
    """The monitor over the new chunks; it starts over where the live one did (core.interruptions)."""

    def __init__(self, episode: Episode, candidate: Candidate, spec: RobotSpec) -> None:
        self._candidate, self._monitor = candidate, candidate.monitor(spec)
        self._ticks, self._at = episode.ticks, 0
        self._interruptions = Interruptions()
        self._run_began = False

    def __call__(self, chunk: ActionChunk, log_ns: int) -> VerdictNumbers | None:
        """Judge a chunk that arrived at a time; None without a calibration."""
        if self._monitor is None:
            return None
        ticks = self._ticks
        while self._at < len(ticks) and ticks.stamps_ns[self._at] <= log_ns:
            code, _ = ticks.reasons[self._at]
            if why := self._interruptions.on_control(int(ticks.modes[self._at]), code):
                self._monitor.reset(why)
            self._at += 1
        self._interruptions.on_chunk(chunk.index)
        if self._run_began:
            chunk, self._run_began = replace(chunk, index=0), False
        verdict = self._monitor.update(self._candidate.for_monitor(chunk))
        return VerdictNumbers(
            level=int(verdict.level),
            statistic=verdict.statistic,
            warn_threshold=verdict.warn_threshold,
            stop_threshold=verdict.stop_threshold,
            text=verdict.text,
        )

    def pass_over(self, chunk: ActionChunk, log_ns: int) -> None:
        """Take a recorded chunk that cannot be asked for again, so that the monitor joins no run midway.

        Of the same weights it is what the answer would have been; of others only the run's beginning counts.
        """
        if chunk.checkpoint_id == self._candidate.policy.spec.checkpoint_id:
            self(chunk, log_ns)
        else:
            self._run_began = self._run_began or chunk.index == 0


def _numbers(verdict: RecordedVerdict) -> VerdictNumbers:
    return VerdictNumbers(
        level=verdict.level,
        statistic=verdict.statistic,
        warn_threshold=verdict.warn_threshold,
        stop_threshold=verdict.stop_threshold,
        text=verdict.text,
    )
