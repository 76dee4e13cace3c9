# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""An operator with a gamepad, a twist stick, a tracker and a leader, beside the fake robot."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from geometry_msgs.msg import PoseStamped, TwistStamped
from lbm_msgs.msg import ControlState, EpisodeEvent
from lbm_msgs.srv import Resume
from sensor_msgs.msg import JointState, Joy
from std_msgs.msg import Bool
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from helpers.executor_harness import Conductor, add_executor_node
from helpers.fake_robot import SPEC
from helpers.ros_graph import PATIENCE_S, Graph
from lbm_policy_node.ros import conversion, qos

DEAD_MAN, SUCCESS, ESTOP, RESUME, SECOND_DEAD_MAN = 4, 1, 2, 3, 5
TELEOP = """
teleop:
  - name: gamepad
    kind: joy
    topic: /joy
    dead_man: {button: 4}
    deadband: 0.1
    axes: [{axis: 0, component: x, scale: 0.4}]
    buttons: {success: 1, estop: 2, resume: 3, failure: 6, discard: 7, mark: 8, start: 9, stop: 10}
  - {name: stick, kind: twist, topic: /twist, dead_man: {topic: /pedal}}
  - name: tracker
    kind: pose
    topic: /tracker
    dead_man: {topic: /tracker_pedal}
    max_jump_m: 0.1
    max_jump_rad: 0.5
  - name: leader
    kind: joints
    topic: /leader
    dead_man: {topic: /leader_pedal}
    joints: [trigger]
    names: [gripper]
    max_jump_rad: 0.3
  - name: goals
    kind: joints
    type: trajectory_msgs/msg/JointTrajectory
    topic: /goal
    dead_man: {topic: /joy, button: 5}
    joints: [trigger]
    names: [gripper]
    clutch: false
    max_jump_rad: 2.0
"""
TYPES = {
    "/joy": Joy,
    "/twist": TwistStamped,
    "/tracker": PoseStamped,
    "/leader": JointState,
    "/goal": JointTrajectory,
    "/pedal": Bool,
    "/tracker_pedal": Bool,
    "/leader_pedal": Bool,
}


def write_spec(folder: Path, teleop: str = TELEOP) -> Path:
    """Write the fake robot's spec with the sources of an operator."""
    path = folder / "teleoperated.yaml"
    path.write_text(SPEC + teleop, encoding="utf-8")
    return path


class Operator(Conductor):
    """Plays the operator too; what was sent has arrived when a call returns."""

    def __init__(
        self,
        graph: Graph,
        folder: Path,
        *,
        teleop: str = TELEOP,
        types: Mapping[str, type] = TYPES,
        **parameters: Any,
    ) -> None:
        """Start the executor node and create the devices, by topic and message type."""
        values = {"enable_control": True, **parameters}
        self.executor = add_executor_node(graph, write_spec(folder, teleop), **values)
        super().__init__(graph)
        self.events: list[EpisodeEvent] = []
        self.node.create_subscription(EpisodeEvent, "/episode_events", self.events.append, qos.EPISODE_EVENT)
        self._devices = {topic: self.node.create_publisher(kind, topic, 10) for topic, kind in types.items()}
        self._resume = self.node.create_client(Resume, "/resume")
        for publisher in self._devices.values():
            graph.spin_until(lambda p=publisher: p.get_subscription_count() == 1, publisher.topic_name)
        graph.spin_until(lambda: self.node.count_publishers("/episode_events") == 1, "the events")

    @property
    def text(self) -> str:
        """What the newest ControlState says."""
        return self.state.reason.text

    @property
    def events_with_source(self) -> list[tuple[int, str]]:
        """The events so far, with their source."""
        return [(event.event, event.source) for event in self.events]

    def expect_events(self, *expected: tuple[int, str]) -> None:
        """Check the events so far; the last ones may still be on their way."""
        self.graph.spin_until(lambda: len(self.events) >= len(expected), f"{len(expected)} events")
        assert self.events_with_source == list(expected)

    def put(self, topic: str, message: Any, *, stamped: bool = True) -> None:
        """Publish on a device and wait until the executor has it: the subscription is best effort."""
        if stamped and hasattr(message, "header"):
            message.header.stamp = conversion.to_stamp(self.graph.robot.now_ns)
        runtime = self.executor._runtime
        assert runtime is not None
        before = runtime.teleop.received
        for _ in range(round(PATIENCE_S)):
            self._devices[topic].publish(message)
            if self.graph.wait(lambda: runtime.teleop.received > before, seconds=1.0):
                self.graph.settle()
                return
        raise AssertionError(f"nothing arrived on {topic}")

    def joy(self, *down: int, x: float = 0.0, axes: int = 2, buttons: int = 12, stamped: bool = True) -> None:
        """Send the gamepad with some buttons down."""
        values = [int(button in down) for button in range(buttons)]
        self.put("/joy", Joy(axes=[x, 0.0][:axes], buttons=values), stamped=stamped)

    def twist(self, x: float = 0.0, frame: str = "base") -> None:
        """Send the stick."""
        message = TwistStamped()
        message.header.frame_id, message.twist.linear.x = frame, x
        self.put("/twist", message)

    def pose(self, x: float, frame: str = "base") -> None:
        """Send the tracker."""
        message = PoseStamped()
        message.header.frame_id, message.pose.position.x = frame, x
        message.pose.orientation.w = 1.0
        self.put("/tracker", message)

    def leader(self, position: float) -> None:
        """Send the leader arm."""
        self.put("/leader", JointState(name=["trigger"], position=[position]))

    def goal(self, *positions: float) -> None:
        """Send a trajectory without a stamp."""
        points = [JointTrajectoryPoint(positions=[value]) for value in positions]
        self.put("/goal", JointTrajectory(joint_names=["trigger"], points=points), stamped=False)

    def pedal(self, topic: str, pressed: bool) -> None:
        """Send a dead-man switch of its own."""
        self.put(topic, Bool(data=pressed))

    def hold(self, ticks: int, *down: int, x: float = 0.0) -> ControlState:
        """Hold buttons of the gamepad for some ticks."""
        for _ in range(ticks):
            self.joy(*down, x=x)
            self.graph.step()
        return self.state

    def take_over(self, x: float = 0.0) -> ControlState:
        """Press the gamepad's dead-man switch."""
        self.hold(1)
        return self.hold(1, DEAD_MAN, x=x)

    def resume(self) -> Any:
        """Call the service."""
        return self.graph.call(self._resume, Resume.Request())
