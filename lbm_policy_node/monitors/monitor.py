# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The monitor: one verdict per chunk, whatever the chunk is.

What a chunk does, before the detectors' alarms (a WARN or STOP replaces the level, and the text keeps both):

=======================================================  ==============  =========  ==================
the chunk                                                level           statistic  compared with next
=======================================================  ==============  =========  ==================
first of an episode (index 0, other instruction, reset)  WARMING_UP      restarts   this chunk
first that is seen, in the middle of an episode          WARMING_UP (1)  restarts   this chunk
fits the one before                                      NORMAL          moves      this chunk
K = 0, deterministic, too few samples for the score      NOT_APPLICABLE  keeps      nothing
guided, for a score that looks at the executed chunk     NOT_APPLICABLE  keeps      nothing
other policy, K or horizon than in the calibration       UNCALIBRATED    keeps      nothing
NaN, infinity, absurd size, another robot's columns      FAULT           keeps      nothing
older than, or the same as, the one before               FAULT           keeps      nothing
shares no instant with the one before                    FAULT           keeps      this chunk
other checkpoint, step, horizon or names than before     FAULT (1)       restarts   this chunk
=======================================================  ==============  =========  ==================

(1) And WARMING_UP instead of NORMAL until the next episode begins: WARN and STOP count, all-clears do not.
Where it is compared with nothing, the next chunk is WARMING_UP. Without a calibration, or with one of too few
episodes, UNCALIBRATED takes the place of WARMING_UP and NORMAL; the score is still computed, in unit scale.

The time limit runs whenever the calibration fits the policy, also where the score cannot judge. STOP stays
until the next episode or `reset`, whatever comes. No torch and no SciPy, unless the chosen score needs it.
"""

from __future__ import annotations

from pathlib import Path

from lbm_policy_node.core.types import ActionChunk
from lbm_policy_node.monitors.alarms import Alarm, elapsed_s, progress_alarm, score_alarm, time_alarm, worst
from lbm_policy_node.monitors.calibration.calibration import Calibration
from lbm_policy_node.monitors.calibration.thresholds import LEVELS
from lbm_policy_node.monitors.columns import ScoredColumns
from lbm_policy_node.monitors.episode_state import EpisodeState, begin, out_of_order
from lbm_policy_node.monitors.judgement import NAN, Judgement, decide, downgrade
from lbm_policy_node.monitors.layout import ChunkLayout
from lbm_policy_node.monitors.pair import NoOverlap, PairError
from lbm_policy_node.monitors.progress.report import ProgressReport
from lbm_policy_node.monitors.scale import ActionScale
from lbm_policy_node.monitors.scores.registry import DEFAULT_SCORE, make_score
from lbm_policy_node.monitors.scores.score import ScoreConfig
from lbm_policy_node.monitors.scoring import ChunkScorer
from lbm_policy_node.monitors.statistics import make_statistic
from lbm_policy_node.monitors.verdict import Level, Verdict

_MAY_VARY = {"n_samples", "execution_horizon"}
"""Between two chunks; a calibration still requires the values it was made with."""


class Monitor:
    """Judges chunks in the order of their times. All calls belong to one thread; none of them waits."""

    def __init__(
        self, columns: ScoredColumns, calibration: Calibration | None, *, folder: Path | None = None
    ) -> None:
        """Wait for the first chunk.

        Args:
            columns: What is compared, of the robot that runs.
            calibration: The thresholds; None: every chunk is UNCALIBRATED.
            folder: Where the weights of a trained score lie.

        Raises:
            ValueError: The calibration is for other columns, or its score cannot be made.
        """
        if calibration is not None and calibration.scale.names != columns.names:
            raise ValueError(
                f"calibration {calibration.id} compares {list(calibration.scale.names)}, the robot "
                f"{list(columns.names)}: calibrate with the spec of this robot"
            )
        self._calibration = calibration
        config = calibration.score if calibration else ScoreConfig(DEFAULT_SCORE)
        self._scorer = ChunkScorer(
            columns,
            calibration.scale if calibration else ActionScale.unit(columns),
            make_score(config, folder),
            calibration.max_overlap_steps if calibration else None,
        )
        self._statistic = make_statistic(calibration.statistic) if calibration else None
        self._episode: EpisodeState | None = None
        self._reset_why = ""

    @property
    def score_name(self) -> str:
        """Which score."""
        return self._scorer.score.name

    @property
    def calibration(self) -> Calibration | None:
        """Where the thresholds are from."""
        return self._calibration

    def reset(self, why: str) -> None:
        """Forget the episode; the next chunk begins one. Clears a STOP.

        Args:
            why: For the next verdict's text, such as "the operator took over".
        """
        self._episode, self._reset_why = None, why or "the monitor was reset"

    def on_progress(self, report: ProgressReport) -> None:
        """Take a progress report; it counts from the next chunk on, and none of an earlier episode counts."""
        episode = self._episode
        if episode is None or report.stamp_ns < episode.first.observation_stamp_ns:
            return
        known = episode.progress.get(report.detector)
        if known is None or known.stamp_ns <= report.stamp_ns:
            episode.progress[report.detector] = report

    def update(self, chunk: ActionChunk) -> Verdict:
        """Judge a chunk; never raises."""
        episode = self._follow(chunk)
        foreign = self._foreign(chunk)
        calibration = None if foreign else self._calibration
        judged = self._judge(episode, chunk, foreign)
        alarm = self._alarm(episode, chunk, calibration, judged)
        if episode.stopped is None and alarm is not None and alarm.level is Level.STOP:
            episode.stopped = alarm
        level, detector, text = decide(episode.stopped, alarm, judged)
        warn, stop = (
            calibration.levels[name].threshold(calibration.detector) if calibration else NAN
            for name in LEVELS
        )
        return Verdict(
            stamp_ns=chunk.observation_stamp_ns,
            chunk_id=chunk.chunk_id,
            level=level,
            detector=detector,
            score=judged.score,
            statistic=judged.statistic,
            warn_threshold=warn,
            stop_threshold=stop,
            overlap_steps=judged.overlap_steps,
            n_samples=len(chunk.samples),
            calibration_id=calibration.id if calibration else "",
            text=text,
        )

    def _follow(self, chunk: ActionChunk) -> EpisodeState:
        """The episode that the chunk belongs to; its statistic restarts with it."""
        episode = begin(chunk, self._episode, self._reset_why) or self._episode
        assert episode is not None  # begin starts one where there is none
        if episode is not self._episode:
            self._episode, self._reset_why = episode, ""
            self._restart_statistic()
        return episode

    def _restart_statistic(self) -> None:
        if self._statistic is not None:
            self._statistic.reset()

    def _foreign(self, chunk: ActionChunk) -> str:
        """How the chunk differs from the calibration's; empty when it does not or cannot be judged."""
        if self._calibration is None:
            return ""
        differences = ChunkLayout.of(chunk).differences(self._calibration.layout)
        if set(differences) <= {"n_samples"} and self._scorer.unsuitable(chunk):
            return ""
        return ", ".join(differences.values())

    def _judge(self, episode: EpisodeState, chunk: ActionChunk, foreign: str) -> Judgement:
        """Compare with the chunk before, and remember what the next one is compared with."""
        previous, newest = episode.previous, episode.newest
        episode.previous, episode.newest = chunk, chunk
        if foreign:
            episode.previous = None
            text = (
                f"the calibration is not for this policy: {foreign}; calibrate again, or ask it the same way"
            )
            return Judgement(Level.UNCALIBRATED, text)
        if unsuitable := self._scorer.unsuitable(chunk):
            episode.previous = None
            return Judgement(Level.NOT_APPLICABLE, unsuitable)
        changes = ChunkLayout.of(chunk).differences(ChunkLayout.of(newest))
        if changed := ", ".join(text for field, text in changes.items() if field not in _MAY_VARY):
            episode.midway = True
            self._restart_statistic()
            return Judgement(Level.FAULT, f"the policy changed within an episode: {changed}")
        defect = self._scorer.defect(chunk) or (out_of_order(previous, chunk) if previous else "")
        if defect:
            episode.previous = None
            return Judgement(Level.FAULT, defect)
        if previous is None:
            text = f"nothing to compare with yet: {episode.began}"
            return downgrade(Judgement(Level.WARMING_UP, text), self._calibration, episode)
        return self._score(episode, previous, chunk)

    def _score(self, episode: EpisodeState, previous: ActionChunk, chunk: ActionChunk) -> Judgement:
        try:
            scored = self._scorer(previous, chunk)
        except NoOverlap as error:
            return Judgement(Level.FAULT, str(error))
        except PairError as error:
            episode.previous = None
            return Judgement(Level.FAULT, str(error))
        statistic, text = NAN, ""
        if self._calibration is not None and self._statistic is not None:
            statistic = self._statistic.update(self._calibration.standardisation(scored.value))
            text = f"{self._calibration.statistic} of {self.score_name} is {statistic:.3g}"
        judged = Judgement(Level.NORMAL, text, scored.value, statistic, scored.overlap_steps)
        return downgrade(judged, self._calibration, episode)

    def _alarm(
        self, episode: EpisodeState, chunk: ActionChunk, calibration: Calibration | None, judged: Judgement
    ) -> Alarm | None:
        """The worst alarm of all detectors."""
        alarms = [progress_alarm(calibration, report) for report in episode.progress.values()]
        if calibration is not None:
            alarms.insert(0, time_alarm(calibration, elapsed_s(episode.first, chunk)))
            alarms.insert(0, score_alarm(calibration, judged.statistic))
        return worst(alarms)
