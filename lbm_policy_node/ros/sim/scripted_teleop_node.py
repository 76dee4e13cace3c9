# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The scripted operator as a node: sees the simulator's true state and who drives, publishes a Joy."""

import sys
from typing import Any, Final

import numpy as np
from lbm_msgs.msg import ControlState, EpisodeEvent
from rclpy.node import Node
from std_msgs.msg import Bool, Float64MultiArray, String

from lbm_policy_node.core.execution.arbitration import ControlMode
from lbm_policy_node.ros import qos, topics
from lbm_policy_node.ros.joy_output import JoyOutput, load_joystick
from lbm_policy_node.ros.parameters import ParameterError, declare
from lbm_policy_node.ros.process import run
from lbm_policy_node.ros.sim.scripted_teleop_config import ScriptedTeleopConfig
from lbm_policy_node.sim.operator.scripted_operator import Phase, ScriptedOperator

OBSERVATION_DIM: Final = 39
BUTTON_OF_EVENT: Final = {
    EpisodeEvent.SUCCESS: "success",
    EpisodeEvent.FAILURE: "failure",
    EpisodeEvent.RESUMED: "resume",
}


class ScriptedTeleopNode(Node):
    """Wiring; publishes at the control rate of the spec, on the node's clock, also while it does nothing."""

    def __init__(self, **node_arguments: Any) -> None:
        """Connect; wait for a task and a trigger.

        Raises:
            ParameterError: The spec has no such gamepad, or not the buttons that the operator presses.
        """
        super().__init__("scripted_teleop_node", **node_arguments)
        try:
            self.config = config = declare(self, ScriptedTeleopConfig)
            spec, joystick = load_joystick(config.robot, config.source)
            self._operator = ScriptedOperator(config, joystick)
        except ValueError as error:
            raise ParameterError(str(error)) from error
        self._joy = JoyOutput(self, joystick)
        self._knows_scene = False
        if config.task:
            self._operator.on_task(config.task)
        subscribe = self.create_subscription
        subscribe(String, topics.SIM_TASK, self._on_task, qos.STATUS)
        subscribe(Float64MultiArray, topics.SIM_PRIVILEGED, self._on_privileged, qos.PROPRIO)
        subscribe(Bool, topics.SIM_SUCCESS, self._on_success, qos.EVENT)
        subscribe(ControlState, topics.CONTROL_STATE, self._on_control, qos.CONTROL_STATE)
        subscribe(EpisodeEvent, topics.EPISODE_EVENTS, self._on_event, qos.EPISODE_EVENT)
        subscribe(Bool, topics.TAKE_OVER, self._on_take_over, qos.STATUS)
        self.create_timer(1.0 / spec.control_rate_hz, self._tick)

    @property
    def phase(self) -> Phase:
        """What the operator is doing."""
        return self._operator.phase

    @property
    def task(self) -> str:
        """The task that it can solve; empty while it knows none."""
        return self._operator.task

    @property
    def _now_ns(self) -> int:
        return self.get_clock().now().nanoseconds

    def _tick(self) -> None:
        before = self._operator.phase
        self._joy.publish(self._operator.tick(self._now_ns))
        if self._operator.phase is not before:
            self.get_logger().info(f"{before.name} -> {self._operator.phase.name}")

    def _on_task(self, message: String) -> None:
        """Take the task; each message but the first, which is the scene as it was found, is a reset."""
        if self._knows_scene:
            self._operator.on_new_scene()
        self._knows_scene = True
        try:
            self._operator.on_task(self.config.task or message.data)
        except ValueError as error:
            self.get_logger().error(f"{topics.SIM_TASK}: {error}")

    def _on_privileged(self, message: Float64MultiArray) -> None:
        if len(message.data) != OBSERVATION_DIM or not np.isfinite(message.data).all():
            text = f"holds {len(message.data)} values; expected {OBSERVATION_DIM} finite ones"
            self.get_logger().warning(f"{topics.SIM_PRIVILEGED} {text}", throttle_duration_sec=1.0)
            return
        self._operator.on_observation(np.array(message.data), self._now_ns)

    def _on_control(self, message: ControlState) -> None:
        self._operator.on_control(ControlMode(message.mode), message.reason.code, self._now_ns)

    def _on_success(self, message: Bool) -> None:
        self._operator.on_success(message.data)

    def _on_event(self, message: EpisodeEvent) -> None:
        self._operator.on_heard(BUTTON_OF_EVENT.get(message.event, ""))

    def _on_take_over(self, message: Bool) -> None:
        self._operator.on_request(message.data)


def main(args: list[str] | None = None) -> int:
    """Run the node as a process."""
    return run(ScriptedTeleopNode, args)


if __name__ == "__main__":
    sys.exit(main())
