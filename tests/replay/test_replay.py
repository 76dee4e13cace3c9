# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The recorded checkpoint reproduces its chunks from the bag; another one is told from it, and where."""

import math

import numpy as np
import pytest

from helpers.episode_maker import START_NS
from helpers.replay_maker import N_SAMPLES, make_recording, rewrite
from lbm_policy_node.data.episodes.episode import read_episode
from lbm_policy_node.paths import shared_path
from lbm_policy_node.replay.candidate import Candidate
from lbm_policy_node.replay.limits import Limits, judge
from lbm_policy_node.replay.run import replay

MS = 1_000_000


@pytest.fixture(scope="module")
def same(recording, checkpoint):
    return replay(recording, Candidate.load(checkpoint))


@pytest.fixture(scope="module")
def other(recording, perturbed):
    return replay(recording, Candidate.load(perturbed))


def test_the_same_checkpoint_reproduces_every_chunk(same):
    assert same.same_checkpoint and len(same.chunks) == same.n_recorded >= 7
    assert same.largest_difference <= 1e-4
    assert same.largest_mmd == pytest.approx(0.0, abs=1e-9)
    assert judge(same, Limits()).passed


def test_perturbed_weights_fail_and_the_reason_names_chunk_and_column(other):
    assert not other.same_checkpoint
    verdict = judge(other, Limits(tolerance=1e-4))
    assert not verdict.passed
    worst = other.worst
    assert f"chunk {worst.chunk_id}" in verdict.reasons[0]
    assert f"'{worst.difference.column}'" in verdict.reasons[0]
    assert other.largest_mmd > 1e-6


def test_another_checkpoint_of_which_nothing_is_asked_is_compared_only(other):
    verdict = judge(other, Limits())
    assert verdict.passed and "no limit is asked" in verdict.notes[0]


def test_differences_are_given_for_each_column_in_its_unit(same, other, recording):
    assert same.action_names == other.action_names == ("x", "y", "z", "gripper")
    for chunk in other.chunks:
        assert len(chunk.difference.columns) == 4
        assert chunk.difference.value == max(chunk.difference.columns)
        assert chunk.difference.sample < N_SAMPLES
    assert [chunk.chunk_id for chunk in other.chunks] == [
        c.chunk_id for _, c in read_episode(recording).chunks
    ]


@pytest.mark.parametrize(
    ("limits", "word"),
    [
        ({"max_mmd": 0.0}, "MMD"),
        ({"max_human_error": 1e-6}, "the operator's actions"),
        ({"no_new_alarms": True}, "no calibration"),
    ],
)
def test_each_limit_is_judged_when_it_is_asked(other, limits, word):
    (reason,) = judge(other, Limits(**limits)).reasons
    assert word in reason


def test_limits_that_hold_pass(other):
    assert judge(other, Limits(tolerance=1.0, max_mmd=1.0, max_human_error=1.0)).passed


@pytest.mark.parametrize("limits", [{"tolerance": -1.0}, {"max_mmd": math.nan}, {"allow_missing": 1.5}])
def test_limits_that_are_none_are_refused(limits):
    with pytest.raises(ValueError, match=next(iter(limits))):
        Limits(**limits)


def test_human_error_is_the_mean_distance_to_the_executed_actions(same, recording):
    episode = read_episode(recording)
    (first_ns, last_ns) = episode.human_intervals_ns[0]
    rows, apart = 0, np.zeros(3)
    for _, chunk in episode.chunks:
        for row in range(chunk.horizon):
            time_ns = chunk.row_time_ns(row)
            if first_ns <= time_ns <= last_ns:
                tick = int(np.flatnonzero(episode.ticks.stamps_ns == time_ns)[0])
                apart += np.abs(chunk.actions[row, :3] - episode.ticks.executed[tick, :3])
                rows += 1
    assert same.human.rows == rows > 10
    np.testing.assert_allclose(same.human.columns, apart / rows, rtol=1e-9)
    assert same.human_names == ("x", "y", "z")


def test_rows_beyond_the_intervention_do_not_count(same):
    before = [c for c in same.chunks if c.stamp_ns < START_NS + 300 * MS]
    assert before and all(chunk.human is None for chunk in before)


def test_an_episode_without_interventions_has_no_human_error(tmp_path, checkpoint):
    episode = make_recording(tmp_path / "alone", checkpoint, seconds=0.6)
    report = replay(episode, Candidate.load(checkpoint))
    assert report.human is None
    (reason,) = judge(report, Limits(max_human_error=1.0)).reasons
    assert "no row" in reason


def test_the_weightless_policy_is_reproduced_and_has_no_sample_sets(tmp_path):
    spec = shared_path("config/robots/metaworld.yaml")
    checkpoint = shared_path("checkpoints/weightless")
    report = replay(
        make_recording(tmp_path / "sine", checkpoint, spec=spec, seconds=1.0), Candidate.load(checkpoint)
    )
    assert report.same_checkpoint and report.largest_difference == 0.0
    assert math.isnan(report.largest_mmd) and judge(report, Limits()).passed


def test_chunks_that_do_not_name_their_messages_are_aligned_again(recording, checkpoint, tmp_path):
    def forget(_topic, _number, message):
        message.input_streams, message.input_stamps = [], []
        return [message]

    old = rewrite(recording, tmp_path / "old", forget, {"/action_chunks"})
    report = replay(old, Candidate.load(checkpoint))
    assert len(report.chunks) == report.n_recorded and all(chunk.assumed for chunk in report.chunks)
    assert report.largest_difference <= 1e-4
    verdict = judge(report, Limits())
    assert verdict.passed and "aligned again" in verdict.notes[0]


def test_few_images_are_in_memory_at_a_time(recording, checkpoint, monkeypatch):
    from lbm_policy_node.replay import rebuild as module

    held = []
    finish = module._finish

    def watch(inputs, samples, *rest):
        held.append(len(samples._held))
        return finish(inputs, samples, *rest)

    monkeypatch.setattr(module, "_finish", watch)
    replay(recording, Candidate.load(checkpoint))
    assert len(held) >= 7 and max(held) <= 2 * 4 + 4  # two history steps of four streams, and what comes next


def test_progress_is_reported(recording, checkpoint):
    heard = []
    replay(recording, Candidate.load(checkpoint), on_chunk=lambda done, total: heard.append((done, total)))
    assert heard == [(i + 1, len(heard)) for i in range(len(heard))]
