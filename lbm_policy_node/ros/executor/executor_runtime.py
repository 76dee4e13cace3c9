# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What exists between configure and cleanup of the chunk executor node: executor, feedback, controllers."""

from typing import Any

from lbm_msgs.msg import ActionChunk as ActionChunkMessage
from lbm_msgs.msg import ControlState, MonitorVerdict, PolicyStatus
from rclpy.duration import Duration
from rclpy.node import Node
from std_msgs.msg import Bool

from lbm_policy_node.core.execution.arbitration import PolicyState
from lbm_policy_node.core.execution.chunk_executor import ChunkExecutor
from lbm_policy_node.core.execution.command import Command
from lbm_policy_node.core.execution.feedback import FeedbackReader
from lbm_policy_node.core.reasons import OK, Reason, ReasonCode
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.messages.chunks import chunk_from_message
from lbm_policy_node.messages.image_encoding import ConversionError

from .. import conversion, qos, topics
from ..event_input import EventInput
from ..status_publisher import FLUSH_S
from ..streams import StreamSubscriptions
from .command_messages import make_writer
from .executor_node_config import HOLD, ExecutorNodeConfig
from .operator_events import OperatorEvents
from .teleop_inputs import TeleopInputs


class ExecutorRuntime:
    """Built whole or not at all; all calls belong to the node's executor thread.

    Attributes:
        robot: Its spec.
        executor: What decides.
        operator: What the operator does beside driving.
        teleop: What the operator drives with.
        last: The newest command.
        refused_chunks: How many so far.
        alarm: Why the monitor asks for a stop; empty while its newest verdict does not.
    """

    def __init__(self, node: Node, config: ExecutorNodeConfig) -> None:
        """Load the spec and connect; nothing is sent before ``tick``.

        Raises:
            SpecError: The robot spec is refused.
        """
        self._node, self._config = node, config
        self.robot = robot = RobotSpec.load(config.robot)
        self.executor = ChunkExecutor(robot, config, control_enabled=config.enable_control)
        self.last: Command | None = None
        self.refused_chunks = 0
        self.alarm = ""
        self._feedback = FeedbackReader(robot, node.count_publishers)
        self._states = node.create_publisher(ControlState, topics.CONTROL_STATE, qos.CONTROL_STATE)
        self._writers = [
            (writer, node.create_publisher(writer.message_type, topic, qos.COMMAND))
            for topic, blocks in robot.action.by_topic().items()
            if config.enable_control
            for writer in [make_writer(blocks, robot.action, 1.0 / robot.control_rate_hz)]
        ]
        self._streams = StreamSubscriptions(node, robot.feedback_streams, self._feedback.push)
        self.operator = OperatorEvents(node, self.executor)
        self.teleop = TeleopInputs(node, robot.teleop, self.executor.takeover, self.operator.on_button)
        self._subscriptions = self._subscribe()
        self._estop = EventInput(node, Bool, topics.ESTOP, self._on_estop)

    def tick(self) -> Command:
        """Run one control tick: decide, send, publish who drives."""
        now_ns = self._node.get_clock().now().nanoseconds
        command = self.executor.tick(now_ns, self._feedback.measured(now_ns))
        for writer, publisher in self._writers:
            message = writer.message(command, now_ns)
            if message is not None:
                publisher.publish(message)
        self._publish_state(command, now_ns)
        self.operator.after_tick(command, now_ns)
        return command

    def halt(self, reason: Reason) -> None:
        """Come to hold before the ticks end; a controller that has a whole trajectory gets the stop."""
        self.executor.on_policy_state(PolicyState.IDLE, reason)
        self.executor.takeover.end(reason)
        self.tick()
        now_ns = self._node.get_clock().now().nanoseconds
        for writer, publisher in self._writers:
            message = writer.last_message(now_ns)
            if message is not None:
                publisher.publish(message)
            publisher.wait_for_all_acked(Duration(seconds=FLUSH_S))

    def destroy(self) -> None:
        """Disconnect."""
        self._streams.destroy()
        self.teleop.destroy()
        self.operator.destroy()
        self._estop.destroy()
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        for publisher in [self._states, *(publisher for _writer, publisher in self._writers)]:
            self._node.destroy_publisher(publisher)

    def _subscribe(self) -> list[Any]:
        subscribe = self._node.create_subscription
        return [
            subscribe(ActionChunkMessage, topics.ACTION_CHUNKS, self._on_chunk, qos.CHUNK),
            subscribe(PolicyStatus, topics.POLICY_STATUS, self._on_policy_status, qos.STATUS),
            subscribe(MonitorVerdict, topics.MONITOR_VERDICTS, self._on_verdict, qos.VERDICT),
        ]

    def _on_chunk(self, message: ActionChunkMessage) -> None:
        now_ns = self._node.get_clock().now().nanoseconds
        try:
            refused = self.executor.on_chunk(chunk_from_message(message), now_ns)
        except ConversionError as error:
            refused = Reason(ReasonCode.CHUNK_WRONG_LAYOUT, str(error))
            self.executor.on_refused_chunk(refused)
        if refused:
            self.refused_chunks += 1
            text = f"chunk {message.chunk_id} refused: {refused}"
            self._node.get_logger().warning(text, throttle_duration_sec=1.0)

    def _on_policy_status(self, message: PolicyStatus) -> None:
        try:
            state, code = PolicyState(message.state), ReasonCode(message.reason.code)
        except ValueError as error:
            state, code = PolicyState.ERROR, ReasonCode.POLICY_NOT_RUNNING
            self._node.get_logger().error(f"policy status not understood: {error}")
        self.executor.on_policy_state(state, Reason(code, message.reason.text))

    def _on_estop(self, message: Bool) -> None:
        self.executor.on_estop(message.data)

    def _on_verdict(self, verdict: MonitorVerdict) -> None:
        self.alarm = stop_request(verdict) if verdict.level == MonitorVerdict.STOP else ""
        if not self.alarm:
            return
        text = f"the monitor asks for a stop: {self.alarm}"
        self._node.get_logger().warning(text, throttle_duration_sec=1.0)
        if self._config.monitor_stop == HOLD:
            self.executor.arbitration.monitor_stop(self.alarm)

    def _publish_state(self, command: Command, now_ns: int) -> None:
        self.last = command
        self._states.publish(
            conversion.control_state_message(
                command,
                now_ns=now_ns,
                frame_id=self.robot.base_frame,
                action_names=self.robot.action_names,
                control_enabled=self._config.enable_control,
            )
        )


_NOT_CONFIGURED = Reason(ReasonCode.NOT_ACTIVE, "the chunk executor is not configured")


def reset_estop(runtime: ExecutorRuntime | None) -> Reason:
    """Release the latch, or say why not."""
    return _NOT_CONFIGURED if runtime is None else runtime.executor.reset_estop() or OK


def resume(runtime: ExecutorRuntime | None) -> Reason:
    """Let the policy go on, or say why not."""
    return _NOT_CONFIGURED if runtime is None else runtime.operator.resume("resume")


def stop_request(verdict: MonitorVerdict) -> str:
    """Say in words which monitor asks for a stop, for which figures, and what to do."""
    figures = f"chunk {verdict.chunk_id}"
    if (
        verdict.statistic > verdict.stop_threshold
    ):  # else another detector asks: a time limit, missing progress
        figures += f", score {verdict.score:.4g}, statistic {verdict.statistic:.4g}"
        figures += f" above {verdict.stop_threshold:.4g}"
    return f"{verdict.monitor}: {verdict.text} ({figures}); the operator should take over"
