# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The scripted operator's node through real topics, in lock step with the simulated robot."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from lbm_msgs.msg import ControlState, Reason
from lbm_msgs.srv import ResetSimulation
from rclpy.node import Node
from sensor_msgs.msg import Joy
from std_msgs.msg import Bool, Float64MultiArray, String

from helpers.lock_step_robot import LockStepRobot
from helpers.policy_harness import overrides
from helpers.ros_graph import Graph
from lbm_policy_node.messages.stamps import to_ns
from lbm_policy_node.paths import shared_path
from lbm_policy_node.ros import qos
from lbm_policy_node.ros.parameters import ParameterError
from lbm_policy_node.ros.sim.scripted_teleop_node import ScriptedTeleopNode
from lbm_policy_node.sim.operator.scripted_operator import Phase
from lbm_policy_node.sim.robot import TICK_NS

SPEC = shared_path("config/robots/metaworld.yaml")
DEAD_MAN = 4


class Desk:
    """A simulated robot, the operator's node, and who plays the executor."""

    def __init__(self, **parameters: Any) -> None:
        self.joys: list[Joy] = []
        self.tasks: list[str] = []
        self.graph = Graph(LockStepRobot(task="drawer-open", publish_privileged=True, image_rate_hz=0.1))
        self.user = self.graph.add(Node("desk"))
        create = self.user.create_subscription
        create(Joy, "/joy", self.joys.append, qos.EVENT)
        create(String, "/sim/task", self._on_task, qos.STATUS)
        self.control = self.user.create_publisher(ControlState, "/control_state", qos.CONTROL_STATE)
        self.request = self.user.create_publisher(Bool, "/scripted_teleop/take_over", qos.STATUS)
        self._reset = self.user.create_client(ResetSimulation, "/sim/reset")
        self._parameters = parameters

    def _on_task(self, message: String) -> None:
        self.tasks.append(message.data)

    def start(self) -> "Desk":
        """Start the operator's node, and tick until it is heard."""
        node = ScriptedTeleopNode(parameter_overrides=overrides(robot=str(SPEC), **self._parameters))
        self.operator: ScriptedTeleopNode = node
        self.graph.add(node)
        self.graph.spin_until(lambda: node.task, "the operator to know its task")
        for topic in ("/sim/privileged", "/sim/success"):
            self.graph.spin_until(lambda t=topic: node.count_publishers(t), topic)
        self.graph.spin_until(self.control.get_subscription_count, "the operator to watch who drives")
        self.graph.step_until(lambda: self.joys, "the first Joy")
        self.graph.lock_step.append(lambda: to_ns(self.joys[-1].header.stamp) == self.graph.robot.now_ns)
        return self

    def say(self, mode: int, code: int = Reason.OK) -> None:
        """Play the executor."""
        message = ControlState(mode=mode)
        message.reason.code = code
        self.graph.send(self.control, message)

    def until_held(self, limit_s: float = 2.0) -> float:
        """Tick until the dead-man switch is pressed; returns how long it took, s of ROS time."""
        return TICK_NS / 1e9 * self.graph.step_until(self.held, "a press", max_ticks=round(limit_s * 80))

    def held(self) -> bool:
        return bool(self.joys[-1].buttons[DEAD_MAN])

    def reset(self, task: str) -> None:
        answer = self.graph.call(self._reset, ResetSimulation.Request(task=task, seed=1, options_json=""))
        assert answer.error_code == Reason.OK
        self.graph.spin_until(lambda: self.tasks[-1] == self.operator.task == task, "the task")
        self.graph.settle()


@pytest.fixture
def desks(ros: None) -> Iterator[Any]:
    made: list[Desk] = []

    def make(**parameters: Any) -> Desk:
        made.append(Desk(**parameters))
        return made[-1]

    yield make
    for desk in made:
        desk.graph.close()


def test_joy_comes_every_tick_with_its_stamp_and_released_while_nothing_is_to_do(desks):
    desk = desks().start()
    desk.say(ControlState.POLICY)
    desk.graph.step(80)
    stamps = [to_ns(joy.header.stamp) for joy in desk.joys][-81:]
    assert len(stamps) == 81
    assert {b - a for a, b in pairwise(stamps)} == {TICK_NS}
    assert not any(any(joy.axes) or any(joy.buttons) for joy in desk.joys)
    assert desk.tasks == ["drawer-open"]


def test_stop_of_the_monitor_is_followed_by_a_press_and_the_experts_motion(desks):
    desk = desks().start()
    desk.say(ControlState.POLICY)
    desk.graph.step(4)
    desk.say(ControlState.HOLD, Reason.MONITOR_STOP)
    assert 0.3 <= desk.until_held() <= 0.65
    desk.graph.step()
    assert any(desk.joys[-1].axes)
    assert desk.joys[-1].buttons[2] == 1, "the expert opens the gripper for the drawer"


def test_asked_before_it_started_it_takes_over_and_lets_go_when_told(desks):
    desk = desks(takeover_after_s=1e6)
    desk.request.publish(Bool(data=True))
    desk.start()
    desk.until_held()
    desk.graph.send(desk.request, Bool(data=False))
    desk.graph.step()
    assert not desk.held()
    desk.graph.step(80)
    assert not desk.held()


def test_takes_over_so_long_after_the_policy_began(desks):
    desk = desks(takeover_after_s=0.5, reaction_low_s=0.0, reaction_high_s=0.0).start()
    desk.graph.step(80)
    assert not desk.held()
    desk.say(ControlState.POLICY)
    assert desk.until_held() == pytest.approx(0.5, abs=0.05)


def test_reset_to_another_task_finds_it_idle_and_it_solves_the_new_one(desks):
    desk = desks().start()
    desk.graph.send(desk.request, Bool(data=True))
    desk.until_held()
    desk.reset("door-open")
    desk.say(ControlState.HOLD, Reason.MONITOR_STOP)  # the executor holds on for the old reason
    desk.graph.step(80)
    assert not desk.held() and desk.operator.phase is Phase.WATCHING
    desk.graph.send(desk.request, Bool(data=True))
    desk.until_held()
    desk.graph.step()
    assert desk.joys[-1].buttons[0] == 1, "the door's expert closes the gripper"


def test_state_that_is_none_is_ignored(desks):
    desk = desks().start()
    strange = desk.user.create_publisher(Float64MultiArray, "/sim/privileged", qos.COMMAND)
    desk.graph.spin_until(strange.get_subscription_count, "the operator")
    desk.graph.send(strange, Float64MultiArray(data=[1.0, 2.0]))
    desk.graph.send(strange, Float64MultiArray(data=[float("nan")] * 39))
    desk.graph.step(2)
    assert not desk.held()


@pytest.mark.parametrize(
    ("parameters", "complaint"),
    [
        ({"source": "pedals"}, "no teleop source 'pedals' of kind joy"),
        ({"robot": "/nowhere.yaml"}, "/nowhere.yaml"),
        ({"reaction_low_s": 5.0}, "reaction_low_s is 5"),
        ({"task": "dance"}, "expected one of"),
        ({"afterwards": "cheer"}, "expected one of"),
    ],
)
def test_wrong_parameters_are_refused(ros, parameters, complaint):
    with pytest.raises(ParameterError, match=complaint):
        ScriptedTeleopNode(parameter_overrides=overrides(**{"robot": str(SPEC), **parameters}))


def test_privileged_state_is_published_only_when_asked_for(ros):
    graph = Graph(LockStepRobot(task="reach"))
    assert graph.robot.count_publishers("/sim/privileged") == 0
    graph.close()
