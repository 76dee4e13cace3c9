# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The simulated robot through real topics, in lock step."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseStamped
from lbm_msgs.msg import Reason
from lbm_msgs.srv import ResetSimulation, StepSimulation
from rclpy.node import Node
from rclpy.parameter import Parameter
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Image, JointState
from std_msgs.msg import Bool, Float64MultiArray

from helpers.ros_graph import Graph
from lbm_policy_node.messages.image_encoding import decode_raw
from lbm_policy_node.messages.stamps import to_ns
from lbm_policy_node.ros import qos
from lbm_policy_node.ros.parameters import ParameterError
from lbm_policy_node.ros.sim.sim_robot_node import SimRobotNode
from lbm_policy_node.sim.robot import MAX_STEP_M, TICK_NS

TICKS_PER_IMAGE = 4


class Probe(Node):
    """Keeps everything that the simulated robot publishes, and commands it."""

    def __init__(self) -> None:
        super().__init__("probe")
        self.received: dict[str, list[Any]] = {}
        for topic, kind in {
            "/clock": Clock,
            "/camera/front/image_raw": Image,
            "/camera/wrist/image_raw": Image,
            "/joint_states": JointState,
            "/ee_pose": PoseStamped,
            "/sim/success": Bool,
            "/diagnostics": DiagnosticArray,
        }.items():
            profile = qos.EVENT if topic in ("/sim/success", "/diagnostics") else qos.PROPRIO
            self.create_subscription(kind, topic, self.received.setdefault(topic, []).append, profile)
        self._target = self.create_publisher(PoseStamped, "/target_pose", qos.COMMAND)
        self._gripper = self.create_publisher(Float64MultiArray, "/gripper/command", qos.COMMAND)
        self._reset = self.create_client(ResetSimulation, "/sim/reset")
        self._step = self.create_client(StepSimulation, "/sim/step")

    def newest(self, topic: str) -> Any:
        return self.received[topic][-1]

    def position(self) -> np.ndarray:
        point = self.newest("/ee_pose").pose.position
        return np.array([point.x, point.y, point.z])


class Simulation:
    """A lock-step simulated robot and its probe."""

    def __init__(self, **parameters: Any) -> None:
        values = {"image_height": 48, "image_width": 64, **parameters}
        overrides = [Parameter(name, value=value) for name, value in values.items()]
        self.probe = Probe()
        self.graph = Graph(self.probe)
        self.node = SimRobotNode(parameter_overrides=overrides)
        self.graph.add(self.node)
        self.until(lambda: self.probe.count_publishers("/clock"), "discovery")

    def until(self, condition: Callable[[], Any], what: str) -> None:
        self.graph.spin_until(condition, what)

    def step(self, ticks: int) -> StepSimulation.Response:
        """Step, and wait until all that the steps published has arrived."""
        response = self.graph.call(self.probe._step, StepSimulation.Request(n_ticks=ticks))
        if response.error_code == Reason.OK:
            self.until(lambda: self.received_stamp() == to_ns(response.clock), "the newest pose")
        return response

    def received_stamp(self) -> int:
        poses = self.probe.received["/ee_pose"]
        return to_ns(poses[-1].header.stamp) if poses else 0

    def reset(self, task: str, options: str = "", seed: int = 3) -> ResetSimulation.Response:
        request = ResetSimulation.Request(task=task, seed=seed, options_json=options)
        return self.graph.call(self.probe._reset, request)

    def target(self, position: Any, frame: str = "base") -> None:
        """Publish a target and wait until the node has taken or refused it."""
        message = PoseStamped()
        message.header.frame_id = frame
        point = message.pose.position
        point.x, point.y, point.z = map(float, position)
        hold = self.node._session.hold
        before = hold.n_refused
        self.until(lambda: self.probe._target.get_subscription_count(), "the controller")
        self.probe._target.publish(message)
        self.until(
            lambda: hold.n_refused > before or np.array_equal(hold.position, position),
            "the controller's answer",
        )

    def close(self) -> None:
        self.node.destroy_node()
        self.probe.destroy_node()


@pytest.fixture
def simulation(ros: None) -> Iterator[Simulation]:
    lock_step = Simulation(lock_step=True, task="drawer-open")
    yield lock_step
    lock_step.close()


def test_time_passes_only_when_stepped_and_everything_carries_its_stamp(simulation: Simulation) -> None:
    first = to_ns(simulation.step(1).clock)
    assert first > 1_000_000_000, "0 means 'no time yet' to ROS"
    last = to_ns(simulation.step(8).clock)
    received = simulation.probe.received
    simulation.until(lambda: received["/clock"] and to_ns(received["/clock"][-1].clock) == last, "the clock")
    simulation.until(lambda: len(received["/camera/wrist/image_raw"]) >= 2, "two wrist images")
    assert last - first == 8 * TICK_NS
    stamps = [to_ns(image.header.stamp) for image in received["/camera/front/image_raw"]]
    assert np.diff(stamps).tolist() == [TICKS_PER_IMAGE * TICK_NS] * (len(stamps) - 1) and len(stamps) >= 2
    poses = {to_ns(pose.header.stamp) for pose in received["/ee_pose"]}
    assert set(stamps[-2:]) <= poses, "an image and a pose of the same instant carry the same stamp"


def test_messages_are_what_the_robot_spec_expects(simulation: Simulation) -> None:
    simulation.step(TICKS_PER_IMAGE)
    probe = simulation.probe
    simulation.until(lambda: probe.received["/camera/front/image_raw"], "an image")
    simulation.until(lambda: probe.received["/joint_states"], "joint states")
    message = probe.newest("/camera/front/image_raw")
    image = decode_raw(
        message.data, encoding=message.encoding, height=message.height, width=message.width, step=message.step
    )
    assert image.shape == (48, 64, 3) and image.std() > 10, "a picture, not a uniform area"
    joints = probe.newest("/joint_states")
    assert list(joints.name) == [f"right_j{i}" for i in range(7)] + ["gripper_opening"]
    assert np.isfinite(joints.position).all() and 0.0 <= joints.position[-1] <= 1.2
    assert probe.newest("/ee_pose").header.frame_id == "base"


def test_hand_follows_the_target_by_one_centimetre_a_tick_and_then_stays(simulation: Simulation) -> None:
    simulation.step(1)
    start = simulation.node._session.robot.commanded_position
    goal = np.add(start, (0.05, 0.0, 0.04))
    simulation.target(goal)
    simulation.step(2)
    moved = simulation.node._session.robot.commanded_position - start
    assert np.abs(moved).max() <= 2 * MAX_STEP_M + 1e-9
    simulation.step(60)
    there = simulation.probe.position()
    simulation.step(20)
    assert np.abs(simulation.probe.position() - there).max() < 2e-3
    assert np.linalg.norm(simulation.node._session.robot.commanded_position - goal) < 1e-6


@pytest.mark.parametrize("bad", [(math.nan, 0.6, 0.2), (0.0, math.inf, 0.2)])
def test_non_finite_target_changes_nothing_and_is_reported(simulation: Simulation, bad: Any) -> None:
    simulation.target((0.1, 0.6, 0.2))
    simulation.target(bad)
    assert simulation.node._session.hold.position.tolist() == [0.1, 0.6, 0.2]
    diagnostics = simulation.probe.received["/diagnostics"]
    simulation.until(
        lambda: any("not finite" in status.message for message in diagnostics for status in message.status),
        "a diagnostic that names the target",
    )
    simulation.step(4)
    assert np.isfinite(simulation.probe.position()).all()


def test_target_in_another_frame_is_refused(simulation: Simulation) -> None:
    simulation.target((0.1, 0.6, 0.2))
    simulation.target((0.2, 0.7, 0.3), frame="camera_front")
    assert simulation.node._session.hold.position.tolist() == [0.1, 0.6, 0.2]


def test_reset_lays_out_another_task_and_time_goes_on(simulation: Simulation) -> None:
    before = to_ns(simulation.step(4).clock)
    simulation.target((0.3, 0.8, 0.4))
    answer = simulation.reset("window-close", '{"ajar": 0.5, "start_offset_m": 0.02}')
    assert (answer.error_code, answer.instruction) == (Reason.OK, "close the window")
    robot = simulation.node._session.robot
    assert robot.task.name == "window-close" and abs(robot.opening - 0.5) < 0.05
    assert not np.allclose(simulation.node._session.hold.position, (0.3, 0.8, 0.4)), "old target is forgotten"
    assert to_ns(simulation.step(1).clock) > before
    stamps = [to_ns(message.clock) for message in simulation.probe.received["/clock"]]
    assert stamps == sorted(stamps)


def test_bad_reset_is_refused_with_a_code_and_changes_nothing(simulation: Simulation) -> None:
    for task, options, code in (
        ("fold-laundry", "", Reason.TASK_UNKNOWN),
        ("reach", "{", Reason.OPTIONS_INVALID),
        ("reach", "[1]", Reason.OPTIONS_INVALID),
        ("reach", '{"seed": 1}', Reason.OPTIONS_INVALID),
        ("reach", '{"ajar": 0.5}', Reason.OPTIONS_INVALID),
        ("window-open", '{"ajar": 7}', Reason.OPTIONS_INVALID),
        ("reach", '{"start_offset_m": "far"}', Reason.OPTIONS_INVALID),
    ):
        answer = simulation.reset(task, options)
        assert answer.error_code == code and answer.error_msg, (task, options)
        assert simulation.node._session.robot.task.name == "drawer-open"


def test_same_task_and_seed_show_the_same_picture(simulation: Simulation) -> None:
    pictures = []
    for seed in (5, 6, 5):
        assert simulation.reset("drawer-close", seed=seed).error_code == Reason.OK
        pictures.append(simulation.node._session.robot.images()["front"].copy())
    assert np.array_equal(pictures[0], pictures[2]) and not np.array_equal(pictures[0], pictures[1])


def test_paced_by_wall_time_it_runs_by_itself_and_refuses_steps(ros: None) -> None:
    paced = Simulation(real_time_factor=2.0)
    received = paced.probe.received
    paced.until(lambda: len(received["/ee_pose"]) >= 40, "40 poses")
    assert paced.step(1).error_code == Reason.NOT_LOCK_STEP
    paced.until(lambda: received["/diagnostics"], "diagnostics")
    keys = {value.key for value in received["/diagnostics"][-1].status[0].values}
    assert "achieved_real_time_factor" in keys
    paced.close()


def test_image_rate_that_does_not_fall_on_ticks_is_refused(ros: None) -> None:
    with pytest.raises(ParameterError, match="image_rate_hz of sim_robot_node is 30"):
        SimRobotNode(parameter_overrides=[Parameter("image_rate_hz", value=30.0)])
