# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The simulated robot as a ROS 2 node: sensors and /clock out, Cartesian targets and gripper commands in."""

import sys
import time
from typing import Any

from geometry_msgs.msg import PoseStamped
from lbm_msgs.msg import Reason
from lbm_msgs.srv import ResetSimulation, StepSimulation
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.node import Node
from std_msgs.msg import Float64MultiArray

from lbm_policy_node.core.health import OK, WARN, Health
from lbm_policy_node.ros import qos, topics
from lbm_policy_node.ros.conversion import to_stamp
from lbm_policy_node.ros.diagnostics import Diagnostics
from lbm_policy_node.ros.parameters import declare
from lbm_policy_node.ros.process import run
from lbm_policy_node.ros.sim.sim_robot_config import SimRobotConfig
from lbm_policy_node.ros.sim.sim_sensors import SimulatedSensors
from lbm_policy_node.sim.options import ResetOptions
from lbm_policy_node.sim.pacing import Pacer
from lbm_policy_node.sim.robot import CONTROL_RATE_HZ, TICK_NS
from lbm_policy_node.sim.session import SimulationSession
from lbm_policy_node.sim.tasks import task_named


class SimRobotNode(Node):
    """Wiring of the simulated robot; everything runs in the executor's thread, which owns the renderer."""

    def __init__(self, **node_arguments: Any) -> None:
        super().__init__("sim_robot_node", **node_arguments)
        self.config = config = declare(self, SimRobotConfig)
        self._ticks_per_image = config.ticks_per_image
        height, width, frame = config.image_height, config.image_width, config.base_frame
        self._sensors = SimulatedSensors(
            self, height=height, width=width, base_frame=frame, privileged=config.publish_privileged
        )
        self._session = SimulationSession(
            task=config.task, seed=config.seed, height=height, width=width, base_frame=frame
        )
        self._pacer = Pacer(tick_ns=TICK_NS, real_time_factor=config.real_time_factor)
        self._diagnostics = Diagnostics(self, self._health, hardware_id="simulation")
        self.create_subscription(PoseStamped, topics.SIM_TARGET_POSE, self._on_target, qos.COMMAND)
        self.create_subscription(Float64MultiArray, topics.SIM_GRIPPER, self._on_gripper, qos.COMMAND)
        self.create_service(ResetSimulation, topics.SIM_RESET, self._on_reset)
        self.create_service(StepSimulation, topics.SIM_STEP, self._on_step)
        if not config.lock_step:
            period_s = 1.0 / (CONTROL_RATE_HZ * config.real_time_factor)
            self.create_timer(period_s, self._on_timer, clock=Clock(clock_type=ClockType.STEADY_TIME))
        self._sensors.publish_task(self._session.robot)
        self._publish()

    def destroy_node(self) -> None:
        """Release the renderer with the node."""
        self._session.close()
        super().destroy_node()

    def _on_timer(self) -> None:
        for _ in range(self._pacer.due_ticks(time.monotonic_ns())):
            self._advance()

    def _advance(self) -> None:
        self._session.advance()
        self._publish()

    def _publish(self) -> None:
        robot = self._session.robot
        with_images = robot.ticks % self._ticks_per_image == 0
        self._sensors.publish(robot, self._session.now_ns, with_images=with_images)

    def _on_target(self, message: PoseStamped) -> None:
        position = message.pose.position
        refusal = self._session.hold.on_target((position.x, position.y, position.z), message.header.frame_id)
        self._report(refusal)

    def _on_gripper(self, message: Float64MultiArray) -> None:
        self._report(self._session.hold.on_gripper(message.data))

    def _report(self, refusal: str) -> None:
        if refusal:
            self.get_logger().warning(f"command ignored: {refusal}", throttle_duration_sec=1.0)
            self._diagnostics.update()

    def _on_reset(
        self, request: ResetSimulation.Request, response: ResetSimulation.Response
    ) -> ResetSimulation.Response:
        task = request.task or self._session.robot.task.name
        code = Reason.TASK_UNKNOWN
        try:
            response.instruction = task_named(task).instruction
            code = Reason.OPTIONS_INVALID
            options = ResetOptions.parse(request.options_json, task=task)
        except ValueError as error:
            response.error_code, response.error_msg = code, str(error)
            return response
        self._session.reset(task=task, seed=request.seed, options=options)
        self._pacer.restart()
        self._sensors.publish_task(self._session.robot)
        self._publish()
        return response

    def _on_step(
        self, request: StepSimulation.Request, response: StepSimulation.Response
    ) -> StepSimulation.Response:
        if not self.config.lock_step:
            response.error_code, response.error_msg = Reason.NOT_LOCK_STEP, "parameter lock_step is false"
        elif request.n_ticks < 1:
            response.error_code, response.error_msg = Reason.REQUEST_INVALID, "n_ticks must be 1 or more"
        else:
            for _ in range(request.n_ticks):
                self._advance()
        response.clock, response.success = to_stamp(self._session.now_ns), self._session.robot.success
        return response

    def _health(self) -> Health:
        achieved, target, hold = (
            self._pacer.achieved_factor,
            self.config.real_time_factor,
            self._session.hold,
        )
        values = {
            "real_time_factor": target,
            "achieved_real_time_factor": round(achieved, 3),
            "task": self._session.robot.task.name,
            "commands_refused": hold.n_refused,
        }
        if hold.refusal:
            return Health(WARN, f"command ignored: {hold.refusal}", values)
        if 0.0 < achieved < 0.9 * target:
            return Health(WARN, f"simulating at {achieved:.2f} of real time instead of {target:.2f}", values)
        return Health(
            OK, "lock step" if self.config.lock_step else f"real-time factor {achieved:.2f}", values
        )


def main() -> None:
    """Run the simulated robot until SIGINT or SIGTERM."""
    sys.exit(run(SimRobotNode))


if __name__ == "__main__":
    main()
