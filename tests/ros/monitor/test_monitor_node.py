# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Over real topics: chunks that stop agreeing stop the robot, and no all-clear is given by accident."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from lbm_msgs.msg import ControlState, MonitorVerdict, PolicyStatus, Reason

from helpers.executor_harness import Conductor, add_executor_node
from helpers.fake_robot import START_NS, TICKS_PER_STEP
from helpers.monitor_harness import (
    CHUNKS_PER_EPISODE,
    EXECUTED_STEPS,
    N_SAMPLES,
    MonitorUser,
    add_monitor_node,
    policy_chunk,
)
from helpers.node_process import NodeProcess
from helpers.ros_graph import Graph
from lbm_policy_node.ros import conversion

NORMAL, WARN, STOP = MonitorVerdict.NORMAL, MonitorVerdict.WARN, MonitorVerdict.STOP
WARMING_UP = MonitorVerdict.WARMING_UP

TORN = 0.15


def test_chunks_that_agree_are_normal_and_carry_figures(monitor_user):
    assert monitor_user.run(10) == [WARMING_UP] + [NORMAL] * 9
    last = monitor_user.verdicts[-1]
    assert (last.chunk_id, last.n_samples, last.overlap_steps) == (10, N_SAMPLES, 12)
    assert (last.monitor, last.detector) == ("energy", "")
    assert 0.0 <= last.statistic < last.warn_threshold < last.stop_threshold < math.inf
    assert last.calibration_id and last.text
    assert last.header.stamp == conversion.to_stamp(policy_chunk(9).observation_stamp_ns)


def test_chunks_that_stop_agreeing_warn_and_then_stop_for_good(monitor_user):
    monitor_user.run(4)
    levels = monitor_user.run(8, first=4, torn=TORN)
    assert STOP in levels and levels[levels.index(STOP) :] == [STOP] * (8 - levels.index(STOP))
    assert set(levels[: levels.index(STOP)]) <= {NORMAL, WARN}
    first = monitor_user.verdicts[4 + levels.index(STOP)]
    assert (first.detector, first.monitor) == ("score", "energy")
    assert first.statistic > first.stop_threshold and "STOP threshold" in first.text
    assert monitor_user.run(1, seed=5) == [WARMING_UP], "a new run is judged again"


def test_disagreement_that_grows_slowly_warns_before_it_stops(monitor_user):
    monitor_user.run(1)
    levels = [
        monitor_user.judge(policy_chunk(i, torn=0.0002 * i)).level for i in range(1, CHUNKS_PER_EPISODE)
    ]
    assert levels == sorted(levels) and WARN in levels and levels[-1] == STOP


def test_a_run_longer_than_any_success_is_noticed_by_its_time(monitor_user):
    levels = monitor_user.run(CHUNKS_PER_EPISODE + 1)
    assert levels[-2] == NORMAL and levels[-1] in (WARN, STOP)
    assert monitor_user.verdicts[-1].detector == "time_limit"


class Drive:
    """Monitor and executor in one graph, a run under way."""

    def __init__(self, graph: Graph, spec: Path, calibration: Path, **executor: Any) -> None:
        add_executor_node(graph, spec, enable_control=True, **executor)
        add_monitor_node(graph, spec, calibration=str(calibration))
        self.graph, self.conductor = graph, Conductor(graph)
        self.user = MonitorUser(graph, listeners=2)
        self.start_ns = 0

    def start(self) -> None:
        self.conductor.status(PolicyStatus.IDLE)
        self.conductor.status(PolicyStatus.RUNNING)
        self.start_ns = self.graph.robot.now_ns

    def chunk(self, index: int, **changes: Any) -> int:
        """Publish a chunk, execute it until the next one is due, and return the level."""
        self.user.judge(policy_chunk(index, start_ns=self.start_ns, **changes))
        self.graph.step(EXECUTED_STEPS * TICKS_PER_STEP)
        return self.user.verdicts[-1].level


@pytest.fixture
def drive(graph: Graph, spec_file: Path, calibration: Path) -> Drive:
    return Drive(graph, spec_file, calibration)


def test_a_stop_makes_the_executor_hold_with_the_reason_and_a_new_goal_goes_on(drive):
    control, graph = drive.conductor, drive.graph
    drive.start()
    for index in range(3):
        drive.chunk(index)
        assert control.in_mode(ControlState.POLICY)
    index = 3
    while drive.chunk(index, torn=TORN) != STOP:
        index += 1
        assert index < CHUNKS_PER_EPISODE
    assert control.in_mode(ControlState.HOLD, Reason.MONITOR_STOP)
    stop = drive.user.verdicts[-1]
    for part in ("energy", f"{stop.statistic:.4g}", f"{stop.stop_threshold:.4g}", f"chunk {index + 1}"):
        assert part in control.state.reason.text
    assert "the operator should take over" in control.state.reason.text
    rest = list(graph.robot.position)
    drive.chunk(index + 1)
    assert graph.robot.position == pytest.approx(rest, abs=1e-9)
    graph.step_until(lambda: control.health("monitor_node").level == DiagnosticStatus.ERROR, "the alarm")
    drive.start()
    assert drive.chunk(0, chunk_id=100) == WARMING_UP and drive.chunk(1, chunk_id=101) == NORMAL
    assert control.in_mode(ControlState.POLICY)


def test_the_same_run_without_the_tear_is_never_stopped(drive):
    drive.start()
    levels = [drive.chunk(index) for index in range(CHUNKS_PER_EPISODE)]
    assert levels == [WARMING_UP] + [NORMAL] * (CHUNKS_PER_EPISODE - 1)
    assert not any(s.reason.code == Reason.MONITOR_STOP for s in drive.conductor.states)
    assert drive.conductor.in_mode(ControlState.POLICY)


def test_with_warn_only_the_executor_drives_on(graph, spec_file, calibration):
    drive = Drive(graph, spec_file, calibration, monitor_stop="warn")
    drive.start()
    levels = [drive.chunk(index, torn=TORN * (index > 2)) for index in range(10)]
    assert levels[-1] == STOP and drive.conductor.in_mode(ControlState.POLICY)


HUMAN = (ControlState.HUMAN, Reason.HUMAN_CONTROL)
POLICY = (ControlState.POLICY, Reason.OK)


@pytest.mark.parametrize(
    "states",
    [
        [HUMAN, (ControlState.HOLD, Reason.HUMAN_CONTROL), POLICY],
        [(ControlState.STOPPED, Reason.E_STOP), (ControlState.HOLD, Reason.E_STOP), POLICY],
        [(ControlState.HOLD, Reason.MONITOR_STOP), POLICY],
    ],
)
def test_after_a_turn_of_somebody_else_the_monitor_starts_over(monitor_user, states):
    monitor_user.control(*POLICY)
    assert STOP in monitor_user.run(10, torn=TORN)
    for mode, code in states:
        monitor_user.control(mode, code)
    assert monitor_user.run(4, first=10) == [WARMING_UP] + [NORMAL] * 3


def test_a_takeover_alone_forgets_the_alarm(monitor_user):
    monitor_user.control(*POLICY)
    monitor_user.run(10, torn=TORN)
    monitor_user.control(*HUMAN)
    assert monitor_user.run(1, first=10) == [WARMING_UP]


def test_a_clock_that_jumps_back_starts_over(monitor_user, graph):
    graph.step(4)
    assert monitor_user.run(10, torn=TORN)[-1] == STOP
    graph.jump(-50.0)
    assert monitor_user.run(3, first=3, start_ns=START_NS - 50_000_000_000) == [WARMING_UP, NORMAL, NORMAL]


def test_a_monitor_that_joins_in_the_middle_gives_no_all_clear_but_stops(monitor_user):
    assert set(monitor_user.run(4, first=5)) == {WARMING_UP}
    assert STOP in monitor_user.run(8, first=9, torn=TORN)


def test_a_deactivated_monitor_is_silent_and_joins_again_in_the_middle(graph, spec_file, calibration):
    node = add_monitor_node(graph, spec_file, calibration=str(calibration))
    user = MonitorUser(graph)
    user.run(3)
    node.trigger_deactivate()
    graph.spin_until(lambda: user._chunks.get_subscription_count() == 0, "the monitor to leave")
    assert node._health().level == DiagnosticStatus.WARN
    node.trigger_activate()
    graph.spin_until(lambda: user._chunks.get_subscription_count() == 1, "the monitor to come back")
    assert set(user.run(3, first=3)) == {WARMING_UP}


def test_diagnostics_count_levels_and_name_the_calibration(graph, spec_file, calibration):
    node = add_monitor_node(graph, spec_file, calibration=str(calibration))
    user = MonitorUser(graph)
    assert node._health().level == DiagnosticStatus.OK and "no chunk" in node._health().message
    user.run(5)
    values = node._health().values
    assert (values["normal"], values["warming_up"], values["stop"]) == (4, 1, 0)
    assert values["calibration_id"] == user.verdicts[-1].calibration_id
    assert 0.0 < float(str(values["cost_median_ms"])) <= float(str(values["cost_p99_ms"]))


def test_a_process_of_its_own_answers_every_one_of_ninety_chunks_in_bursts(graph, spec_file, tmp_path):
    n_samples, burst = 32, 10  # a third of a second's worth at 30 chunks per second
    with NodeProcess("monitor_node", tmp_path / "log", robot=spec_file, use_sim_time=True) as process:
        user = MonitorUser(graph)
        first = conversion.chunk_message(policy_chunk(0, n_samples=n_samples), frame_id="base")
        user.send(first)
        while not graph.wait(lambda: user.verdicts, seconds=0.5):  # it may not have found us yet
            user.send(first)
        for begin in range(1, 91, burst):
            for index in range(begin, begin + burst):
                chunk = policy_chunk(index, n_samples=n_samples)
                user.send(conversion.chunk_message(chunk, frame_id="base"))
            last = begin + burst  # the id of chunk i is i + 1
            graph.spin_until(lambda n=last: user.verdicts[-1].chunk_id == n, "verdicts on a burst")
        answers = [verdict for verdict in user.verdicts if verdict.chunk_id > 1]
        assert [verdict.chunk_id for verdict in answers] == list(range(2, 92))
        assert {verdict.n_samples for verdict in answers} == {n_samples}
        assert np.isfinite([verdict.score for verdict in answers]).all()
        assert "Traceback" not in process.output
