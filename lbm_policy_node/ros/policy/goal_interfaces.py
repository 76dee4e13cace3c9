# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The action ``run_policy`` and its service twins, all in front of one ``GoalHandler``."""

from collections.abc import Callable
from typing import Any

from lbm_msgs.action import RunPolicy
from lbm_msgs.srv import CancelPolicy, SetInstruction, StartPolicy
from rclpy.action.server import ActionServer, CancelResponse, GoalEvent, GoalResponse, ServerGoalHandle
from rclpy.node import Node
from std_msgs.msg import Bool

from lbm_policy_node.core.reasons import Reason, ReasonCode
from lbm_policy_node.running.goal import Ending, GoalHandler, Termination

from .. import conversion, topics
from ..event_input import EventInput


class GoalInterfaces:
    """Hosts the action, the services and, when named, the topic on which success is reported from outside.

    A goal that runs is in the state EXECUTING without an execute coroutine: rclpy polls a pending coroutine
    in a busy loop, so the callback that rclpy wants is only scheduled at the end, to deliver the result.
    """

    def __init__(
        self,
        node: Node,
        goals: GoalHandler,
        *,
        on_start: Callable[[], None],
        on_instruction: Callable[[], None],
        on_refused: Callable[[Reason], None],
        on_success: Callable[[], None],
        success_topic: str = "",
    ) -> None:
        """Create the interfaces.

        Args:
            node: Their node; every callback runs in its executor thread.
            goals: Decides.
            on_start: Called when a run has started.
            on_instruction: Called when an instruction has come into force.
            on_refused: Called with the reason when a start was refused.
            on_success: Called for each true on the success topic.
            success_topic: std_msgs/Bool topic. Empty for none.
        """
        self._node, self._goals = node, goals
        self._on_start, self._on_instruction, self._on_refused = on_start, on_instruction, on_refused
        self._report_success = on_success
        self._handle: ServerGoalHandle | None = None
        self._server = ActionServer(
            node,
            RunPolicy,
            topics.RUN_POLICY,
            self._deliver_aborted,
            goal_callback=self._on_goal,
            handle_accepted_callback=self._on_accepted,
            cancel_callback=self._on_cancel,
        )
        self._services = [
            node.create_service(StartPolicy, topics.START_POLICY, self._start),
            node.create_service(CancelPolicy, topics.CANCEL_POLICY, self._cancel),
            node.create_service(SetInstruction, topics.SET_INSTRUCTION, self._set_instruction),
        ]
        self._success = None
        if success_topic:
            self._success = EventInput(node, Bool, success_topic, self._on_success)

    def publish_feedback(self, feedback: RunPolicy.Feedback) -> None:
        """Send feedback to the action client, if the run was started by one."""
        if self._handle is not None:
            self._handle.publish_feedback(feedback)

    def finish(self, ending: Ending) -> None:
        """Deliver the result to the action client, if the run was started by one."""
        handle, self._handle = self._handle, None
        if handle is None:
            return
        if ending.termination is Termination.CANCELED and not handle.is_cancel_requested:
            handle._update_state(GoalEvent.CANCEL_GOAL)  # by the service: both ways end CANCELED
        self._server.notify_execute(handle, lambda goal: _deliver(goal, ending))

    def destroy(self) -> None:
        """Remove the interfaces."""
        self._server.destroy()
        for service in self._services:
            self._node.destroy_service(service)
        if self._success is not None:
            self._success.destroy()

    def _now_ns(self) -> int:
        return self._node.get_clock().now().nanoseconds

    def _try_start(self, instruction: str, time_limit_s: float) -> Reason:
        now_ns = self._now_ns()
        if now_ns == 0:  # simulated time that has not begun: a time limit would be over as soon as it does
            reason = Reason(ReasonCode.NOT_ACTIVE, "use_sim_time is set and nothing has arrived on /clock")
        else:
            reason = self._goals.start(instruction, time_limit_s, now_ns)
        if reason.ok:
            self._on_start()
            self._on_instruction()
        else:
            self._refused(reason)
        return reason

    def _refused(self, reason: Reason) -> None:
        self._node.get_logger().warning(f"goal refused: {reason}")
        self._on_refused(reason)

    def _on_goal(self, goal: RunPolicy.Goal) -> GoalResponse:
        reason = self._try_start(goal.instruction, goal.time_limit_s)
        return GoalResponse.ACCEPT if reason.ok else GoalResponse.REJECT

    def _on_accepted(self, handle: ServerGoalHandle) -> None:
        handle._update_state(GoalEvent.EXECUTE)
        self._handle = handle

    def _on_cancel(self, handle: ServerGoalHandle) -> CancelResponse:
        # rclpy enters CANCELING after this returns, so the run ends in the next turn of the executor.
        executor = self._node.executor
        assert executor is not None  # a callback runs in one
        executor.create_task(self._goals.end, Termination.CANCELED, self._now_ns())
        return CancelResponse.ACCEPT

    def _start(self, request: Any, response: Any) -> Any:
        return conversion.fill_error(response, self._try_start(request.instruction, request.time_limit_s))

    def _cancel(self, _request: Any, response: Any) -> Any:
        return conversion.fill_error(response, self._goals.end(Termination.CANCELED, self._now_ns()))

    def _set_instruction(self, request: Any, response: Any) -> Any:
        reason = self._goals.set_instruction(request.instruction)
        if reason.ok:
            self._on_instruction()
        return conversion.fill_error(response, reason)

    def _on_success(self, message: Bool) -> None:
        if message.data:
            self._report_success()

    def _deliver_aborted(self, goal: ServerGoalHandle) -> RunPolicy.Result:
        goal.abort()
        return RunPolicy.Result()


def _deliver(goal: ServerGoalHandle, ending: Ending) -> RunPolicy.Result:
    if ending.termination is Termination.SUCCEEDED:
        goal.succeed()
    elif ending.termination is Termination.CANCELED:
        goal.canceled()
    else:
        goal.abort()
    return conversion.result_message(ending)
