# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The policy as a lifecycle node: observations and a goal in, action chunks out. Wiring only.

``PolicyLoop`` decides, ``GoalInterfaces`` talks to users, ``InferenceWorker`` computes in its own thread.
"""

import sys
from dataclasses import replace
from typing import Any

from rclpy.clock import TimeJump

from lbm_policy_node.core.reasons import OK, Reason, ReasonCode
from lbm_policy_node.core.spec.robot_spec import SpecError
from lbm_policy_node.running.goal import Ending, GoalHandler, Termination
from lbm_policy_node.running.report import PolicyReport, health

from ..clock_jumps import watch_jumps_back
from ..diagnostics import Diagnostics
from ..lifecycle import ManagedNode
from ..process import run
from ..status_publisher import StatusPublisher
from .goal_interfaces import GoalInterfaces
from .policy_events import PolicyEvents
from .policy_node_config import PolicyNodeConfig
from .policy_runtime import PolicyRuntime


class PolicyNode(ManagedNode):
    """See the module. Parameters: ``PolicyNodeConfig``."""

    def __init__(self, **node_arguments: Any) -> None:
        """Declare parameters and create what must answer in every lifecycle state."""
        super().__init__("policy_node", **node_arguments)
        self.config = self.declare(PolicyNodeConfig)
        self._runtime: PolicyRuntime | None = None
        self._idle_reason = Reason(ReasonCode.NOT_ACTIVE, "the policy node is not configured")
        self._goals = GoalHandler(self._on_end, monitor_stop_window_s=self.config.monitor_stop_window_s)
        self._events = PolicyEvents(self, self._goals, self._restart_history)
        self._interfaces = GoalInterfaces(
            self,
            self._goals,
            on_start=self._on_start,
            on_instruction=self._events.publish_instruction,
            on_refused=self._say_idle,
            on_success=lambda: self._events.publish_success(self.config.success_topic),
            success_topic=self.config.success_topic,
        )
        self._status = StatusPublisher(self, self._report, self._interfaces.publish_feedback)
        self._diagnostics = Diagnostics(self, lambda: health(self._report()), hardware_id="policy")
        self._jump_handle = watch_jumps_back(self, self._on_clock_jump)
        self._status.publish()

    @property
    def inferring(self) -> bool:
        """Whether an inference is in flight."""
        return self._runtime is not None and self._runtime.inferring

    def configure(self) -> None:
        """Load the spec and the checkpoint; refuse what does not fit together."""
        self._runtime = PolicyRuntime(self, self.config, self._goals, self._on_progress)
        self._say_idle(Reason(ReasonCode.NOT_ACTIVE, "the policy node is configured, not active"))

    def activate(self) -> None:
        """Accept goals."""
        self._goals.enabled = True
        self._say_idle(OK)

    def deactivate(self) -> None:
        """End the run; IDLE makes the executor hold."""
        reason = Reason(ReasonCode.DEACTIVATED, "the policy node was deactivated")
        self._goals.enabled = False
        self._goals.end(Termination.DEACTIVATED, self._now_ns(), reason)
        self._say_idle(reason)
        self._status.flush()

    def release(self) -> None:
        """Release the policy."""
        if self._runtime is not None:
            self._runtime.destroy()
            self._runtime = None
        self._status.update()

    def on_refused(self, error: Exception) -> None:
        """Say why there is no policy."""
        code = ReasonCode.SPEC_REFUSED if isinstance(error, SpecError) else ReasonCode.CHECKPOINT_REFUSED
        self._say_idle(Reason(code, str(error)))

    def _now_ns(self) -> int:
        return self.get_clock().now().nanoseconds

    def _report(self) -> PolicyReport:
        report = self._runtime.loop.report() if self._runtime is not None else PolicyReport()
        return report if report.run is not None else replace(report, reason=self._idle_reason)

    def _say_idle(self, reason: Reason) -> None:
        self._idle_reason = reason
        self._status.publish()
        self._diagnostics.update()

    def _on_progress(self) -> None:
        self._status.update()
        self._diagnostics.update()

    def _on_start(self) -> None:
        assert self._runtime is not None  # goals are enabled only while active
        self._runtime.begin()

    def _restart_history(self, since_ns: int) -> None:
        if self._runtime is not None:
            self._runtime.loop.restart(since_ns)

    def _on_end(self, ending: Ending) -> None:
        self.get_logger().info(f"run ended: {ending.termination.name} {ending.reason.text}".rstrip())
        self._say_idle(ending.reason)
        self._interfaces.finish(ending)

    def _on_clock_jump(self, jump: TimeJump) -> None:
        self.get_logger().warning(f"the clock jumped by {jump.delta.nanoseconds * 1e-9:.3f} s")
        self._goals.rebase(jump.delta.nanoseconds)
        if self._runtime is not None:
            self._runtime.loop.on_clock_jump()


def main(args: list[str] | None = None) -> int:
    """Run the node as a process."""
    return run(PolicyNode, args)


if __name__ == "__main__":
    sys.exit(main())
