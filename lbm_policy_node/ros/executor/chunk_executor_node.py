# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The chunk executor as a lifecycle node: the one writer of controller commands. Wiring only.

``core.chunk_executor`` decides; a timer on the ROS clock asks it once per control tick.
"""

import sys
from typing import Any

from lbm_msgs.srv import ResetEstop, Resume
from rclpy.timer import Timer

from lbm_policy_node.core.execution.arbitration import ControlMode
from lbm_policy_node.core.execution.command import Command
from lbm_policy_node.core.health import ERROR, OK, WARN, Health
from lbm_policy_node.core.reasons import Reason, ReasonCode

from .. import conversion, topics
from ..clock_watch import NO_CLOCK, ClockWatch
from ..diagnostics import Diagnostics
from ..lifecycle import ManagedNode
from ..process import run
from .executor_node_config import ExecutorNodeConfig
from .executor_runtime import ExecutorRuntime, reset_estop, resume


class ChunkExecutorNode(ManagedNode):
    """See the module. Parameters: ``ExecutorNodeConfig``."""

    def __init__(self, **node_arguments: Any) -> None:
        """Declare parameters; in shadow mode unless ``enable_control`` is set."""
        super().__init__("chunk_executor_node", **node_arguments)
        self.config = self.declare(ExecutorNodeConfig)
        self._runtime: ExecutorRuntime | None = None
        self._tick_timer: Timer | None = None
        self._refusal = ""
        self._diagnostics = Diagnostics(self, self._health, hardware_id="chunk_executor")
        self._clock_watch = ClockWatch(self, self._diagnostics.publish)
        self.create_service(ResetEstop, topics.RESET_ESTOP, self._on_reset_estop)
        self.create_service(Resume, topics.RESUME, self._on_resume)

    def configure(self) -> None:
        """Load the spec and connect."""
        self._runtime = ExecutorRuntime(self, self.config)
        self._refusal = ""

    def activate(self) -> None:
        """Say what will move, then start the control tick; rclpy takes 50 ms for the first line it logs."""
        assert self._runtime is not None  # the lifecycle configures first
        robot = self._runtime.robot
        if self.config.enable_control:
            self.get_logger().info(
                f"{robot.control_rate_hz:g} commands a second to {[*robot.action.by_topic()]}"
            )
        else:
            self.get_logger().warning("shadow mode: enable_control is false, nothing is sent to controllers")
        self._tick_timer = self.create_timer(1.0 / robot.control_rate_hz, self._tick)

    def deactivate(self) -> None:
        """Hold, then stop the control tick."""
        if self._tick_timer is not None:
            self.destroy_timer(self._tick_timer)
            self._tick_timer = None
        if self._runtime is not None:
            self._runtime.halt(Reason(ReasonCode.DEACTIVATED, "the chunk executor was deactivated"))

    def release(self) -> None:
        """Disconnect."""
        if self._runtime is not None:
            self._runtime.destroy()
            self._runtime = None

    def on_refused(self, error: Exception) -> None:
        """Say why there is no executor."""
        self._refusal = str(error)
        self._diagnostics.publish()

    def _tick(self) -> None:
        assert self._runtime is not None  # the timer lives while active
        before = self._runtime.last
        command = self._runtime.tick()
        if before is None or _who(before) != _who(command):
            self._announce(command)

    def _announce(self, command: Command) -> None:
        """Say that another drives, or why none does."""
        text = f"{_who(command)[0]}: {command.reason}"
        if command.reason.code == ReasonCode.STOP_NOT_OBEYED:
            self.get_logger().error(text)
            self._diagnostics.publish()  # a stop is an error already, so the level does not change
        else:
            self.get_logger().info(text)
            self._diagnostics.update()

    def _on_reset_estop(self, _request: Any, response: Any) -> Any:
        return conversion.fill_error(response, reset_estop(self._runtime))

    def _on_resume(self, _request: Any, response: Any) -> Any:
        return conversion.fill_error(response, resume(self._runtime))

    def _health(self) -> Health:
        if self._runtime is None:
            return Health(ERROR, self._refusal or "not configured")
        if self._clock_watch.missing:
            return Health(ERROR, NO_CLOCK)
        if self._tick_timer is None or self._runtime.last is None:
            return Health(WARN, "not active")
        last, alarm = self._runtime.last, self._runtime.alarm
        levels = {ControlMode.STOPPED: ERROR, ControlMode.HOLD: WARN}
        level = OK if last.reason.code == ReasonCode.POLICY_NOT_RUNNING else levels.get(last.mode, OK)
        level = ERROR if last.reason.code == ReasonCode.STOP_NOT_OBEYED else level
        values = {
            "refused_chunks": self._runtime.refused_chunks,
            "chunk_id": last.chunk_id,
            "enable_control": self.config.enable_control,
            "monitor_stop": self.config.monitor_stop,
            "monitor_alarm": alarm,
            "teleop": last.source,
            "teleop_messages": self._runtime.teleop.received,
        }
        for (source, part), fault in self._runtime.teleop.faults.items():
            values[f"teleop {source}, {part}"], level = fault, max(level, WARN)
        message = f"{last.mode.name}: {last.reason}"
        if alarm and last.reason.text != alarm:  # monitor_stop is warn, or it holds for something else
            return Health(max(level, WARN), f"{message}; the monitor asks for a stop: {alarm}", values)
        return Health(level, message, values)


def _who(command: Command) -> tuple[str, ReasonCode]:
    name = command.mode.name
    return f"{name} by '{command.source}'" if command.source else name, command.reason.code


def main(args: list[str] | None = None) -> int:
    """Run the node as a process."""
    return run(ChunkExecutorNode, args)


if __name__ == "__main__":
    sys.exit(main())
