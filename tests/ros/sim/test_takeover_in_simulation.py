# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The whole graph with the shipped policy: the operator rescues a disturbed run, the policy goes on, and the
labels on disk say who drove."""

from collections.abc import Callable
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from lbm_msgs.msg import ControlState, EpisodeEvent, PolicyStatus, Reason
from sensor_msgs.msg import Joy

from helpers.monitored_simulation import SPEC, MonitoredSimulation
from helpers.policy_harness import overrides
from helpers.recorder_harness import add_recorder_node
from lbm_policy_node.core.execution.limits import ActionLimits
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.data.datasets.export import ExportSettings
from lbm_policy_node.data.datasets.export_run import ExportRun, Status
from lbm_policy_node.data.episodes.episode import Episode, read_episode
from lbm_policy_node.messages.stamps import to_ns
from lbm_policy_node.ros import qos
from lbm_policy_node.ros.sim.scripted_teleop_node import ScriptedTeleopNode
from lbm_policy_node.sim.operator.scripted_operator import Phase
from lbm_policy_node.sim.robot import TICK_NS

HOLD, POLICY, HUMAN = ControlState.HOLD, ControlState.POLICY, ControlState.HUMAN
TAKEOVER, HANDBACK, RESUMED = EpisodeEvent.TAKEOVER, EpisodeEvent.HANDBACK, EpisodeEvent.RESUMED


class RescuedSimulation(MonitoredSimulation):
    """The monitored simulation with the scripted operator at its gamepad."""

    def __init__(self, folder: Path, *, after_takeover: str, **operator: Any) -> None:
        super().__init__(robot={"publish_privileged": True}, executor={"after_takeover": after_takeover})
        self.operator = ScriptedTeleopNode(parameter_overrides=overrides(robot=str(SPEC), **operator))
        self.graph.add(self.operator)
        self.folder = folder
        self.recorder = add_recorder_node(self.graph, SPEC, folder, pre_roll_s=0.5)
        self.joys: list[Joy] = []
        self.events: list[EpisodeEvent] = []
        node = self.user.node
        node.create_subscription(Joy, "/joy", self.joys.append, qos.EVENT)
        node.create_subscription(EpisodeEvent, "/episode_events", self.events.append, qos.EPISODE_EVENT)
        self.graph.spin_until(lambda: self.operator.task, "the operator to know its task")
        self.graph.spin_until(lambda: self.operator.count_publishers("/sim/privileged"), "the true state")
        self.graph.step_until(lambda: self.joys, "the first Joy")
        self.graph.lock_step.append(lambda: to_ns(self.joys[-1].header.stamp) == self.robot.now_ns)

    def turns(self) -> list[int]:
        """Who drove, one after the other, since the policy began."""
        modes = [state.mode for state in self.control.states]
        return [mode for mode, _ in groupby(modes[modes.index(POLICY) :])]

    def worst_step(self) -> float:
        """Return the largest step of the command between two ticks, as a share of the velocity limit."""
        spec = RobotSpec.load(SPEC)
        limits = ActionLimits(spec)
        shares = []
        for before, after in pairwise(self.control.states):
            if before.executed and after.executed:
                step_s = (to_ns(after.header.stamp) - to_ns(before.header.stamp)) * 1e-9
                change = np.abs(np.subtract(after.executed, before.executed))[limits.moving]
                shares.append(float((change / (limits.velocity * step_s)).max()))
        return max(shares)

    def check_commands(self) -> None:
        """Every target that the robot got is what was published as executed at its stamp."""
        executed = {to_ns(s.header.stamp): list(s.executed[:3]) for s in self.control.states if s.executed}
        for target in self.robot.targets:
            point = target.pose.position
            assert [point.x, point.y, point.z] == executed[to_ns(target.header.stamp)]

    def until(self, condition: Callable[[], Any], what: str, *, limit_s: float = 12.0) -> None:
        self.graph.step_until(condition, what, max_ticks=round(limit_s * 80))

    def recorded(self) -> Episode:
        """End the run and return the episode."""
        self.user.cancel()
        self.graph.step(8)
        (path,) = self.folder.iterdir()
        self.graph.spin_until((path / "metadata.yaml").is_file, "the end of the recording")
        return read_episode(path)

    def human_intervals_ns(self) -> list[tuple[int, int]]:
        """First and last tick of each turn of the operator, as the graph published them."""
        turns = groupby(self.control.states, key=lambda state: state.mode)
        stamps = [[to_ns(state.header.stamp) for state in states] for mode, states in turns if mode == HUMAN]
        return [(turn[0], turn[-1]) for turn in stamps]

    def happened(self) -> list[int]:
        return [event.event for event in self.events]


@pytest.fixture
def rescued(ros: None, request: pytest.FixtureRequest, tmp_path: Path):
    simulation = RescuedSimulation(tmp_path / "episodes", **request.param)
    yield simulation
    simulation.close()


BY_BUTTON = {"after_takeover": "hold", "afterwards": "resume"}
BY_RELEASE = {"after_takeover": "resume", "afterwards": "nothing"}
AT_SPEED = {**BY_RELEASE, "takeover_after_s": 0.5, "reaction_low_s": 0.0, "reaction_high_s": 0.0}
BY_SUCCESS = {"after_takeover": "hold", "afterwards": "success"}


@pytest.mark.parametrize("rescued", [BY_BUTTON, BY_RELEASE], indirect=True, ids=["button", "release"])
def test_the_operator_completes_what_the_monitor_stopped_and_the_policy_goes_on_without_a_jump(
    rescued, tmp_path
):
    rescued.run(perturbation="occlusion", perturbation_after_s=0.2)
    assert rescued.control.in_mode(HOLD, Reason.MONITOR_STOP) and not rescued.robot.success
    rescued.until(lambda: rescued.control.in_mode(HUMAN), "the takeover", limit_s=1.0)
    assert rescued.control.state.source == "gamepad"
    rescued.until(lambda: rescued.operator.phase is Phase.RELEASING, "the operator to be done")
    assert rescued.robot.success
    rescued.until(lambda: rescued.control.in_mode(POLICY), "the policy to go on", limit_s=3.0)
    rescued.graph.step(40)
    assert rescued.turns()[:5] == [POLICY, HOLD, HUMAN, HOLD, POLICY]
    assert 0.0 < rescued.worst_step() <= 1.0 + 1e-9
    rescued.check_commands()
    assert [e for e in rescued.happened() if e in (TAKEOVER, HANDBACK, RESUMED)] == [
        TAKEOVER,
        HANDBACK,
        RESUMED,
    ]
    check_labels(rescued, tmp_path / "dataset")


def check_labels(rescued: RescuedSimulation, dataset: Path) -> None:
    """The bag has the operator's turns to the tick, and the dataset every step by who drove it."""
    truth, episode = rescued.human_intervals_ns(), rescued.recorded()
    assert len(truth) == 1 and episode.human_intervals_ns == truth
    run = ExportRun(dataset, ExportSettings(), only="all", on_time=lambda _s: None)
    (report,) = run.export([episode.path])
    assert report.status is Status.EXPORTED, report.messages
    run.close()
    (first_ns, last_ns), lead_ns = truth[0], episode.spec.action.lead_ns
    table = pq.read_table(sorted((dataset / "data").glob("*/*.parquet")))
    stamps, modes = table["stamp_ns"].to_numpy(), table["control_mode"].to_numpy()
    classes = table["sirius_class"].to_numpy()
    human = (stamps + lead_ns >= first_ns) & (stamps + lead_ns <= last_ns)
    assert human.sum() > 10 and (~human).sum() > 10
    np.testing.assert_array_equal(modes == 1, human)
    np.testing.assert_array_equal(table["intervention"].to_numpy(zero_copy_only=False), human)
    before = (stamps + lead_ns < first_ns) & (stamps + lead_ns >= first_ns - 750_000_000)
    np.testing.assert_array_equal(classes == -10, before)


@pytest.mark.parametrize("rescued", [AT_SPEED], indirect=True, ids=["at_speed"])
def test_robot_that_the_policy_moves_is_taken_over_without_a_jump(rescued):
    rescued.run(perturbation="occlusion", perturbation_after_s=0.2)
    rescued.until(lambda: rescued.turns()[2:4] == [HOLD, POLICY], "the policy to go on", limit_s=5.0)
    rescued.graph.step(40)
    assert rescued.turns()[:4] == [POLICY, HUMAN, HOLD, POLICY]
    states = rescued.control.states
    took = next(i for i, (a, b) in enumerate(pairwise(states)) if (a.mode, b.mode) == (POLICY, HUMAN))
    speed = np.subtract(states[took].executed, states[took - 1].executed)[:3] / (TICK_NS / 1e9)
    assert np.abs(speed).max() > 0.05, "the robot was moving"
    assert rescued.robot.success and rescued.worst_step() <= 1.0 + 1e-9
    rescued.check_commands()


@pytest.mark.parametrize("rescued", [BY_SUCCESS], indirect=True, ids=["success"])
def test_the_operator_who_marks_success_ends_the_run(rescued):
    rescued.run(perturbation="occlusion", perturbation_after_s=0.2)
    rescued.until(lambda: EpisodeEvent.SUCCESS in rescued.happened(), "the mark")
    rescued.until(lambda: rescued.user.in_state(PolicyStatus.IDLE), "the end of the run", limit_s=1.0)
    assert rescued.robot.success and rescued.worst_step() <= 1.0 + 1e-9
    assert rescued.turns() == [POLICY, HOLD, HUMAN, HOLD]
