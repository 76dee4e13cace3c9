# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A recorded episode becomes steps that say what was seen, done, wanted and thought, and by whom."""

from dataclasses import replace

import numpy as np
import pytest

from helpers.bag_surgery import rewritten
from helpers.episode_maker import START_NS, TICK_NS, make_episode
from lbm_policy_node.core.episodes.labels import StepClass
from lbm_policy_node.core.execution.arbitration import ControlMode
from lbm_policy_node.data.datasets.dataset_writer import DatasetWriter
from lbm_policy_node.data.datasets.export import (
    EpisodeExport,
    ExportError,
    ExportSettings,
    check_exportable,
    export_features,
    frame_rate,
)
from lbm_policy_node.data.episodes.episode import read_episode
from lbm_policy_node.data.episodes.episode_records import EventKind
from lbm_policy_node.data.episodes.episode_steps import grid_steps

FRONT, WRIST = "/camera/front/image_raw", "/camera/wrist/image_raw"
LEAD_NS = 50_000_000


class Exported:
    """An episode and what its export staged."""

    def __init__(self, path, folder, **settings):
        self.episode = read_episode(path)
        self.early_warnings = check_exportable(self.episode)
        features = export_features(self.episode.spec)
        fps = frame_rate(self.episode.spec)
        writer = DatasetWriter(folder, features, fps=fps, robot_type="r", append=True)
        export = EpisodeExport(self.episode, ExportSettings(**settings))
        self.staged, self.late_warnings = export.run(writer.stage("episode"), lambda _: None)
        self.table = self.staged.table()

    def __getitem__(self, name):
        return np.array(self.table[name].to_pylist())

    def tick_of(self, stamp_ns):
        (at,) = np.flatnonzero(self.episode.ticks.stamps_ns == stamp_ns + LEAD_NS)
        return at


@pytest.fixture(scope="module")
def rescued(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rescued")
    path = make_episode(folder / "rescued", seconds=3.0, takeovers=((1.2, 2.0),), stop_level_at_s=0.9)
    return Exported(path, folder / "set")


def test_each_row_holds_what_was_executed_and_proposed_when_it_was_due(rescued):
    ticks = rescued.episode.ticks
    at = [rescued.tick_of(stamp) for stamp in rescued["stamp_ns"]]
    np.testing.assert_array_equal(rescued["action"], ticks.executed[at].astype(np.float32))
    wanted = np.isfinite(ticks.proposed[at]).all(axis=1)
    np.testing.assert_array_equal(rescued["policy_action_valid"], wanted)
    np.testing.assert_array_equal(
        rescued["policy_action"][wanted], ticks.proposed[at][wanted].astype(np.float32)
    )
    np.testing.assert_array_equal(rescued["policy_action"][~wanted], rescued["action"][~wanted])
    human = ticks.modes[at] == ControlMode.HUMAN
    assert np.abs(rescued["policy_action"] - rescued["action"])[human & wanted].max() > 1e-3


def test_stamps_lie_a_step_apart_and_the_state_is_what_was_measured_then(rescued):
    assert rescued.staged.length == len(rescued["stamp_ns"]) > 55
    gaps = np.diff(rescued["stamp_ns"])
    assert (gaps % 50_000_000 == 0).all() and (gaps > 50_000_000).sum() <= 1  # nobody drives at the handback
    poses = {s.stamp_ns: s.value.position for s in rescued.episode.samples(["ee_pose"])}
    for stamp, state in zip(rescued["stamp_ns"], rescued["observation.state"], strict=True):
        np.testing.assert_array_equal(state[:3], poses[stamp].astype(np.float32))


def test_labels_match_the_true_interval_within_one_tick(rescued):
    ((first_ns, last_ns),) = rescued.episode.human_intervals_ns
    due = rescued["stamp_ns"] + LEAD_NS
    inside = (due >= first_ns) & (due <= last_ns)
    np.testing.assert_array_equal(rescued["intervention"], inside)
    np.testing.assert_array_equal(rescued["control_mode"], inside.astype(int))
    assert abs((first_ns - START_NS) * 1e-9 - 1.2) <= TICK_NS * 1e-9
    before = (due < first_ns) & (due >= due[inside][0] - 750_000_000)
    np.testing.assert_array_equal(rescued["sirius_class"] == StepClass.PRE_INTERVENTION, before)
    assert before.sum() == 15


def test_the_last_step_tells_the_end_and_the_outcome(rescued):
    n = rescued.staged.length
    for name in ("next.done", "next.success"):
        assert rescued[name].tolist() == [False] * (n - 1) + [True]
    assert set(rescued["task"]) == {"move the square"}
    assert rescued.staged.source["outcome"] == "success"
    assert rescued.staged.source["recorded_ns"] == 1_767_323_045_000_000_000  # wall time, not ROS time


def test_the_monitor_is_reported_at_the_observation_that_it_judged(rescued):
    for recorded, verdict in zip(rescued.episode.chunks, rescued.episode.verdicts, strict=True):
        at = np.flatnonzero(rescued["stamp_ns"] == recorded.chunk.observation_stamp_ns)
        if not len(at):  # nobody drove
            continue
        assert rescued["monitor.level"][at[0]] == verdict.level
        assert rescued["monitor.score"][at[0]] == np.float32(verdict.score)
        assert rescued["monitor.statistic"][at[0]] == verdict.statistic
    assert {2, 4} <= set(rescued["monitor.level"])
    assert rescued["monitor.valid"][rescued["monitor.level"] >= 0].all()


@pytest.mark.parametrize("late_ms", [(0, 0, 0), (3, 9, 1), (9, 3, 12), (1, 30, 2)])
def test_the_grid_chooses_the_messages_that_the_policy_saw(tmp_path, late_ms):
    path = make_episode(tmp_path / "e", seconds=1.5, takeovers=((0.7, 0.9),), n_obs_steps=2)
    delays: dict[str, int] = dict(zip((FRONT, WRIST, "/ee_pose"), late_ms, strict=True))
    rewritten(path, lambda topic, ns, _: ns + delays.get(topic, 0) * 1_000_000)
    episode = read_episode(path)
    steps = {s.observation.stamp_ns: s.observation for s in grid_steps(episode) if s.observation}
    assert len(episode.chunks) >= 4
    for recorded in episode.chunks:
        chunk = recorded.chunk
        for row in chunk.input_stamps_ns:
            seen = steps[max(row)].stream_stamps_ns
            assert tuple(seen[stream] for stream in chunk.input_streams) == row


def test_cameras_of_another_rate_give_the_nearest_picture_and_no_picture_twice(tmp_path):
    path = make_episode(tmp_path / "e", seconds=2.0)

    def at_30_hz(topic, ns, message):  # every stamp in between moves to the next picture of a 30 Hz camera
        if topic in (FRONT, WRIST):
            ns = START_NS + -(-(ns - START_NS) * 30 // 1_000_000_000) * 1_000_000_000 // 30
            message.header.stamp.sec, message.header.stamp.nanosec = divmod(ns, 1_000_000_000)
        return ns

    exported = Exported(rewritten(path, at_30_hz), tmp_path / "set")
    stamps = exported["stamp_ns"]
    assert (np.diff(stamps) > 0).all() and exported.staged.length >= 37
    grid = np.round((stamps - stamps[0]) / 50_000_000) * 50_000_000
    assert np.abs(stamps - stamps[0] - grid).max() <= 25_000_000


def test_what_nobody_drove_is_left_out_and_does_not_fill_the_window(tmp_path):
    path = make_episode(tmp_path / "e", seconds=3.5, replan_steps=100, takeovers=((2.0, 2.6),))
    exported = Exported(path, tmp_path / "set")
    ticks = exported.episode.ticks
    assert (ticks.modes == ControlMode.HOLD).sum() > 50
    assert set(ticks.modes[[exported.tick_of(s) for s in exported["stamp_ns"]]]) == {1, 2}
    gap = np.diff(exported["stamp_ns"]).max()
    assert gap > 900_000_000
    assert set(exported["sirius_class"]) == {StepClass.ROBOT, StepClass.INTERVENTION}


def test_a_longer_window_reaches_further(tmp_path):
    path = make_episode(tmp_path / "e", seconds=2.5, takeovers=((1.5, 2.0),))
    short = Exported(path, tmp_path / "a", pre_intervention_s=0.2)["sirius_class"]
    long = Exported(path, tmp_path / "b", pre_intervention_s=1.0)["sirius_class"]
    assert [(c == StepClass.PRE_INTERVENTION).sum() for c in (short, long)] == [4, 20]


def test_driving_without_any_policy_is_a_demonstration(tmp_path):
    path = make_episode(tmp_path / "e", seconds=1.5, infer=None, checkpoint_id="", takeovers=((0.2, 1.4),))
    exported = Exported(path, tmp_path / "set")
    assert set(exported["control_mode"]) == {-1} and set(exported["sirius_class"]) == {-1}
    assert not exported["intervention"].any() and not exported["policy_action_valid"].any()
    assert set(exported["monitor.level"]) == {-1} and set(exported["monitor.score"]) == {-1.0}
    assert 22 <= exported.staged.length <= 24


def test_a_new_instruction_counts_from_its_event_on(tmp_path):
    path = make_episode(tmp_path / "e", seconds=2.0, takeovers=((0.8, 1.0),))

    def other(topic, ns, message):
        if topic == "/episode_events" and message.event == EventKind.TAKEOVER:
            message.event, message.instruction = int(EventKind.INSTRUCTION_CHANGED), "move it back"
        return ns

    exported = Exported(rewritten(path, other), tmp_path / "set")
    before = exported["stamp_ns"] < START_NS + 800_000_000
    assert set(exported["task"][before]) == {"move the square"}
    assert set(exported["task"][~before]) == {"move it back"}


def test_lost_pictures_are_left_out_with_a_warning(tmp_path):
    path = make_episode(tmp_path / "e", seconds=3.0)
    lost = range(START_NS + 1_000_000_000, START_NS + 1_130_000_000)
    rewritten(path, lambda topic, ns, _: None if topic == WRIST and ns in lost else ns, dropped=3)
    exported = Exported(path, tmp_path / "set")
    assert exported.early_warnings == ["the recorder lost 3 messages"]
    # The first picture of the front camera still pairs with a wrist picture within max_skew_s, as live.
    assert [stamp for stamp in exported["stamp_ns"].tolist() if stamp in lost] == [lost.start]
    (warning,) = exported.late_warnings
    assert "2 driven steps without an observation are left out" in warning


def test_too_many_lost_pictures_refuse_the_episode(tmp_path):
    path = make_episode(tmp_path / "e", seconds=2.0)
    lost = range(START_NS + 500_000_000, START_NS + 1_500_000_000)
    rewritten(path, lambda topic, ns, _: None if topic == WRIST and ns in lost else ns)
    with pytest.raises(ExportError, match=r"of \d+ driven steps have no observation.*'wrist'"):
        Exported(path, tmp_path / "set")
    assert not list((tmp_path / "set").rglob("*.mp4"))


def test_a_missing_topic_is_named(tmp_path):
    episode = read_episode(make_episode(tmp_path / "e", seconds=0.5, leave_out=(WRIST,)))
    with pytest.raises(
        ExportError, match=r"nothing was recorded on /camera/wrist/image_raw \(stream 'wrist'\)"
    ):
        check_exportable(episode)
    blind = read_episode(make_episode(tmp_path / "f", seconds=0.5, leave_out=("/control_state",)))
    with pytest.raises(ExportError, match="/control_state, so who drove is not known"):
        check_exportable(blind)


def test_shadow_mode_is_refused_and_broken_chunks_are_reported(rescued):
    ticks = rescued.episode.ticks
    shadow = replace(ticks, enabled=np.zeros_like(ticks.enabled))
    with pytest.raises(ExportError, match="shadow mode"):
        check_exportable(replace(rescued.episode, ticks=shadow))
    (warning,) = check_exportable(replace(rescued.episode, broken_chunks=("actions must have shape",)))
    assert "1 broken chunks; the first: actions must have shape" in warning


def test_an_episode_without_outcome_or_instruction_says_so(tmp_path):
    path = make_episode(tmp_path / "e", seconds=0.8, outcome=None, instruction="")
    with pytest.raises(ExportError, match=r"no instruction.*--instruction"):
        Exported(path, tmp_path / "a")
    exported = Exported(path, tmp_path / "b", instruction="wave")
    assert "no outcome was reported" in exported.early_warnings[0]
    assert not exported["next.success"].any() and set(exported["task"]) == {"wave"}
