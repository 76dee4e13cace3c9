# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A replay judges the new chunks as the live monitor would, and new alarms can fail it."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from helpers.replay_maker import make_recording, rewrite
from lbm_policy_node.core.episodes.chunk_episode import ChunkEpisode
from lbm_policy_node.data.bags.bags import Bag
from lbm_policy_node.data.episodes.episode import read_episode
from lbm_policy_node.graph.monitor_choice import CALIBRATION_FILE
from lbm_policy_node.monitors.calibration.fit import CalibrationConfig, calibrate
from lbm_policy_node.monitors.columns import ScoredColumns
from lbm_policy_node.monitors.monitor import Monitor
from lbm_policy_node.monitors.scale import ActionScale
from lbm_policy_node.monitors.verdict import Level
from lbm_policy_node.replay.candidate import Candidate
from lbm_policy_node.replay.chunk_inputs import find_inputs
from lbm_policy_node.replay.limits import Limits, judge
from lbm_policy_node.replay.rebuild import rebuild
from lbm_policy_node.replay.run import replay
from lbm_policy_node.replay.table import table

pytestmark = pytest.mark.slow

EPISODES = 60


@pytest.fixture(scope="module")
def alone(checkpoint, tmp_path_factory):
    """An episode without interventions."""
    return make_recording(tmp_path_factory.mktemp("episodes") / "alone", checkpoint, seconds=3.0)


@pytest.fixture(scope="module")
def calibrated(alone, checkpoint, tmp_path_factory):
    """The checkpoint with a calibration; n_chunks of the episode are in distribution."""

    def make(n_chunks):
        folder = tmp_path_factory.mktemp("checkpoints") / "calibrated"
        shutil.copytree(checkpoint, folder)
        episode, policy = read_episode(alone), Candidate.load(checkpoint).policy
        with Bag(alone) as bag:
            inputs = find_inputs(bag, episode.spec, episode.chunks, policy.spec.n_obs_steps)
            histories = [rebuilt.history for rebuilt in rebuild(bag, episode.spec, inputs)]
        chunks = [chunk for _, chunk in episode.chunks][:n_chunks]
        columns = ScoredColumns.from_spec(episode.spec.action)
        calibration = calibrate(
            [_successful(number, chunks, histories, policy) for number in range(EPISODES)],
            CalibrationConfig(),
            columns=columns,
            scale=ActionScale.from_statistics(np.full(4, 0.02), columns),
            checkpoint_id=policy.spec.checkpoint_id,
            source="a test",
            date="2026-01-01",
        )
        calibration.save(folder / CALIBRATION_FILE)
        return folder

    return make


def _successful(number, chunks, histories, policy):
    """The episode with other noise."""
    drawn = []
    for chunk, history in zip(chunks, histories, strict=False):
        seed = 1000 * (number + 1) + chunk.chunk_id
        samples = policy.infer(history, n_samples=len(chunk.samples), seed=seed)
        drawn.append(replace(chunk, actions=samples[0], samples=samples))
    end_ns = chunks[-1].observation_stamp_ns
    return ChunkEpisode(
        episode_id=str(number), task="move", success=True, success_ns=end_ns, chunks=tuple(drawn)
    )


def test_verdicts_are_those_of_a_monitor_over_the_recorded_chunks(recording, alone, calibrated, tmp_path):
    """With an intervention in the middle, which begins a new run."""
    candidate = Candidate.load(calibrated(8))
    episode = read_episode(recording)
    columns = ScoredColumns.from_spec(episode.spec.action)
    live = Monitor(columns, candidate.calibration)
    verdicts = {chunk.chunk_id: live.update(chunk) for _, chunk in episode.chunks}

    def write(_topic, _number, message):
        verdict = verdicts[message.chunk_id]
        for name in ("score", "statistic", "warn_threshold", "stop_threshold", "calibration_id", "text"):
            setattr(message, name, getattr(verdict, name))
        message.level = int(verdict.level)
        return [message]

    report = replay(rewrite(recording, tmp_path / "judged", write, {"/monitor_verdicts"}), candidate)
    assert report.calibration_id == report.recorded_calibration_id
    pairs = [(chunk.verdict, chunk.recorded_verdict) for chunk in report.chunks]
    both = [(now, before) for now, before in pairs if now is not None and before is not None]
    assert len(both) == len(report.chunks)
    levels = [now.level for now, _ in both]
    assert levels == [before.level for _, before in both]
    np.testing.assert_allclose([now.statistic for now, _ in both], [before.statistic for _, before in both])
    assert levels.count(Level.WARMING_UP) == 3 and Level.NORMAL in levels
    assert judge(report, Limits(no_new_alarms=True)).passed


def test_alarms_that_the_recording_has_not_fail_when_that_is_asked(alone, calibrated):
    report = replay(alone, Candidate.load(calibrated(3)))  # longer than all that it was calibrated with
    assert report.alarms(recorded=False) > 0 == report.alarms(recorded=True)
    assert judge(report, Limits()).passed
    (reason,) = judge(report, Limits(no_new_alarms=True)).reasons
    first = next(chunk for chunk in report.chunks if chunk.new_alarm)
    assert f"the first is chunk {first.chunk_id}" in reason
    assert f"{report.alarms(recorded=False)} alarms" in table(report)


def test_a_recorded_stop_is_reported(checkpoint, tmp_path):
    episode = make_recording(tmp_path / "stopped", checkpoint, seconds=2.0, stop_level_at_s=1.0)
    report = replay(episode, Candidate.load(checkpoint))
    stop = report.first_stop(recorded=True)
    assert stop is not None and report.first_stop(recorded=False) is None
    assert f"first STOP at chunk {stop}" in table(report)


@pytest.mark.parametrize("weights", ["same", "other"])
def test_a_run_whose_first_chunk_is_lost_is_still_judged_from_its_beginning(
    weights, alone, calibrated, perturbed, tmp_path
):
    folder = calibrated(8)
    if weights == "other":
        other = Candidate.load(perturbed)
        calibration = Candidate.load(folder).calibration
        assert calibration is not None
        layout = replace(calibration.layout, checkpoint_id=other.policy.spec.checkpoint_id)
        candidate = replace(other, calibration=replace(calibration, layout=layout))
    else:
        candidate = Candidate.load(folder)
    wrist = "/camera/wrist/image_raw"
    lost = rewrite(alone, tmp_path / "lost", lambda _t, number, _m: None if number else [], {wrist})
    report = replay(lost, candidate)
    assert [one.chunk_id for one in report.lost] == [1]
    levels = [chunk.verdict.level for chunk in report.chunks if chunk.verdict is not None]
    assert len(levels) == 7 and Level.NORMAL in levels
