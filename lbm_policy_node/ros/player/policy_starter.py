# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Starts the policy with a recorded instruction once its node is ready, and cancels what it started."""

from typing import Any

from lbm_msgs.msg import Reason
from lbm_msgs.srv import CancelPolicy, StartPolicy
from rclpy.node import Node
from rclpy.task import Future

from .. import topics


class PolicyStarter:
    """All calls belong to the node's executor thread."""

    def __init__(self, node: Node, instruction: str) -> None:
        """Connect; nothing is asked before ``look``."""
        self._node, self._instruction = node, instruction
        self._start = node.create_client(StartPolicy, topics.START_POLICY)
        self._cancel = node.create_client(CancelPolicy, topics.CANCEL_POLICY)
        self._asked: Future | None = None
        self._cancelled: Future | None = None
        self.started = False

    def look(self) -> None:
        """Start the policy if that has not been done and its node is there; call this again and again."""
        if not self._instruction or self.started or self._asked or not self._start.service_is_ready():
            return
        self._asked = self._start.call_async(StartPolicy.Request(instruction=self._instruction))
        self._asked.add_done_callback(self._on_answer)

    def end(self) -> bool:
        """Cancel the run that was started; True once that is answered or there is nothing to cancel."""
        if not self.started or not self._cancel.service_is_ready():
            return True
        if self._cancelled is None:
            self._cancelled = self._cancel.call_async(CancelPolicy.Request())
        return self._cancelled.done()

    def _on_answer(self, future: Any) -> None:
        answer = future.result()
        if answer.error_code == Reason.OK:
            self.started = True
            self._node.get_logger().info(f"the policy follows '{self._instruction}'")
            return
        self._node.get_logger().info(
            f"the policy does not start: {answer.error_msg}", throttle_duration_sec=5.0
        )
        if answer.error_code != Reason.BUSY:  # then another client runs it
            self._asked = None
