# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The recorder as a lifecycle node: every message of the graph in, episodes on disk out. Wiring only.

``core.episode_rule`` knows when an episode begins and ends; ``data.recording`` writes in its own thread.
"""

import sys
from typing import Any, Final

from lbm_msgs.msg import EpisodeEvent, RecorderStatus
from lbm_msgs.srv import EndEpisode, StartEpisode
from rclpy.clock import Clock, ClockType, TimeJump

from lbm_policy_node.core.health import ERROR, WARN, Health
from lbm_policy_node.core.reasons import Reason, ReasonCode

from .. import conversion, qos, topics
from ..clock_jumps import watch_jumps_back
from ..diagnostics import Diagnostics
from ..lifecycle import ManagedNode
from ..process import run
from .recorder_node_config import RecorderNodeConfig
from .recorder_report import RecorderReport
from .recorder_runtime import RecorderRuntime

"""Fixed, whatever the node is called: consoles listen here."""
PERIOD_S: Final = 1.0
EVENT_OF_OUTCOME: Final = {
    EndEpisode.Request.OUTCOME_KEEP: None,
    EndEpisode.Request.OUTCOME_SUCCESS: EpisodeEvent.SUCCESS,
    EndEpisode.Request.OUTCOME_FAILURE: EpisodeEvent.FAILURE,
    EndEpisode.Request.OUTCOME_DISCARD: EpisodeEvent.DISCARDED,
}


class RecorderNode(ManagedNode):
    """See the module. Parameters: ``RecorderNodeConfig``."""

    def __init__(self, **node_arguments: Any) -> None:
        """Declare parameters and create what must answer in every lifecycle state."""
        super().__init__("recorder_node", **node_arguments)
        self.config = self.declare(RecorderNodeConfig)
        self._runtime: RecorderRuntime | None = None
        self._active = False
        self._refusal = ""
        self._status = self.create_publisher(RecorderStatus, topics.RECORDER_STATUS, qos.STATUS)
        self._diagnostics = Diagnostics(self, self._health, hardware_id="recorder")
        self.create_service(StartEpisode, topics.START_EPISODE, self._on_start)
        self.create_service(EndEpisode, topics.END_EPISODE, self._on_end)
        self._jump_handle = watch_jumps_back(self, self._on_clock_jump)
        # Steady: what is lost while a simulation stands still must be seen too.
        self._timer = self.create_timer(
            PERIOD_S, self._publish, clock=Clock(clock_type=ClockType.STEADY_TIME)
        )

    def configure(self) -> None:
        """Load the spec and the definitions; refuse what could not be read again."""
        self._runtime = RecorderRuntime(self, self.config, self._on_change)
        self._refusal = ""

    def activate(self) -> None:
        """Listen."""
        assert self._runtime is not None  # the lifecycle configures first
        self._runtime.start()
        self._active = True
        self._on_change()

    def deactivate(self) -> None:
        """End the episode."""
        self._active = False
        if self._runtime is not None:
            self._runtime.stop()

    def release(self) -> None:
        """Wait for the disk."""
        if self._runtime is not None:
            self._runtime.destroy()
            self._publish()
            self._runtime = None

    def on_refused(self, error: Exception) -> None:
        """Say why there is no recorder."""
        self._refusal = str(error)
        self._diagnostics.publish()

    @property
    def _report(self) -> RecorderReport:
        return self._runtime.report if self._runtime is not None else RecorderReport()

    def _publish(self) -> None:
        self._status.publish(self._report.message(self.get_clock().now().nanoseconds))

    def _on_change(self) -> None:
        self._publish()
        self._diagnostics.update()

    def _on_start(self, request: StartEpisode.Request, response: StartEpisode.Response) -> Any:
        if self._runtime is None or not self._active:
            return self._answer(response, _NOT_ACTIVE)
        return self._answer(response, self._runtime.begin(request.instruction, asked_for=True))

    def _on_end(self, request: EndEpisode.Request, response: EndEpisode.Response) -> Any:
        if self._runtime is None or not self._active:
            return self._answer(response, _NOT_ACTIVE)
        if request.outcome not in EVENT_OF_OUTCOME:
            text = f"outcome is {request.outcome}; expected one of {sorted(EVENT_OF_OUTCOME)}"
            return self._answer(response, Reason(ReasonCode.REQUEST_INVALID, text))
        return self._answer(response, self._runtime.end(EVENT_OF_OUTCOME[request.outcome], request.text))

    def _answer(self, response: Any, reason: Reason) -> Any:
        recording = self._report.recording
        if recording is not None and reason.ok:
            response.episode_id, response.path = recording.header.episode_id, str(recording.path)
        return conversion.fill_error(response, reason)

    def _on_clock_jump(self, jump: TimeJump) -> None:
        if self._runtime is not None and self._active:
            self._runtime.on_clock_jump(f"the clock jumped by {jump.delta.nanoseconds * 1e-9:.3f} s")

    def _health(self) -> Health:
        if self._runtime is None:
            return Health(ERROR, self._refusal or "not configured")
        return self._runtime.report.health() if self._active else Health(WARN, "not active")


_NOT_ACTIVE: Final = Reason(ReasonCode.NOT_ACTIVE, "the recorder is not active")


def main(args: list[str] | None = None) -> int:
    """Run the node as a process."""
    return run(RecorderNode, args)


if __name__ == "__main__":
    sys.exit(main())
