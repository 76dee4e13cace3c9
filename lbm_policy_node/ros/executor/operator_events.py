# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What the operator does at the chunk executor: buttons, resume, and the facts that are published of it."""

from lbm_msgs.msg import EpisodeEvent
from rclpy.node import Node

from lbm_policy_node.core.execution.chunk_executor import ChunkExecutor
from lbm_policy_node.core.execution.command import Command
from lbm_policy_node.core.reasons import OK, Reason

from ..episode_events import EpisodeEvents
from .teleop_inputs import ESTOP

RESUME = "resume"
EVENTS = {
    "success": EpisodeEvent.SUCCESS,
    "failure": EpisodeEvent.FAILURE,
    "discard": EpisodeEvent.DISCARDED,
    "mark": EpisodeEvent.MARK,
    "start": EpisodeEvent.START_REQUESTED,
    "stop": EpisodeEvent.STOP_REQUESTED,
}


class OperatorEvents:
    """All calls belong to the node's executor thread."""

    def __init__(self, node: Node, executor: ChunkExecutor) -> None:
        """Create the publisher."""
        self._node, self._executor = node, executor
        self._events = EpisodeEvents(node)
        self._before: Command | None = None

    def destroy(self) -> None:
        """Remove the publisher."""
        self._events.destroy()

    def on_button(self, source: str, button: str, down: bool) -> None:
        """Take a button that went down, or the stop button that came up."""
        if button == ESTOP:
            self._executor.on_estop(down, source)
        elif button == RESUME:
            refused = self.resume(source)
            if not refused.ok:
                self._node.get_logger().warning(f"'{source}' asks to resume, refused: {refused}")
        elif button in EVENTS:
            self._events.publish(EVENTS[button], source=source)

    def resume(self, source: str) -> Reason:
        """Let the policy go on, or say why not; published only where it had to wait."""
        waited = self._executor.arbitration.waiting
        refused = self._executor.arbitration.resume()
        if refused is None and waited:
            self._events.publish(EpisodeEvent.RESUMED, source=source)
        return refused or OK

    def after_tick(self, command: Command, now_ns: int) -> None:
        """Publish who took over or handed back in this tick, and log why a press is not followed."""
        before, self._before = self._before, command
        had = before.source if before else ""
        if had != command.source:
            self._publish_change(had, command, before, now_ns)
        for text in self._executor.turn.complaints:
            self._node.get_logger().warning(f"teleop: {text}", throttle_duration_sec=1.0)

    def _publish_change(self, had: str, command: Command, before: Command | None, now_ns: int) -> None:
        if had:
            reason = self._executor.turn.reason
            text = f"'{command.source}' comes first" if command.source else "released"
            self._events.publish(
                EpisodeEvent.HANDBACK, source=had, text=text if reason.ok else str(reason), now_ns=now_ns
            )
        if command.source:
            text = f"from {before.mode.name}: {before.reason}" if before else ""
            self._events.publish(EpisodeEvent.TAKEOVER, source=command.source, text=text, now_ns=now_ns)
        elif not self._executor.arbitration.waiting:
            text = "after_takeover is resume"
            self._events.publish(EpisodeEvent.RESUMED, source=had, text=text, now_ns=now_ns)
