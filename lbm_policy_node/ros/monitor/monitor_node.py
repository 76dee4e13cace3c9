# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The runtime monitor as a lifecycle node: action chunks in, verdicts out. Wiring only.

``monitors.monitor`` judges; ``core.interruptions`` knows when a new episode begins.
"""

import sys
from typing import Any

from rclpy.clock import TimeJump

from lbm_policy_node.core.health import ERROR, WARN, Health

from ..clock_jumps import watch_jumps_back
from ..diagnostics import Diagnostics
from ..lifecycle import ManagedNode
from ..process import run
from .monitor_node_config import MonitorNodeConfig
from .monitor_runtime import MonitorRuntime


class MonitorNode(ManagedNode):
    """See the module. Parameters: ``MonitorNodeConfig``."""

    def __init__(self, **node_arguments: Any) -> None:
        """Declare parameters."""
        super().__init__("monitor_node", **node_arguments)
        self.config = self.declare(MonitorNodeConfig)
        self._runtime: MonitorRuntime | None = None
        self._active = False
        self._refusal = ""
        self._diagnostics = Diagnostics(self, self._health, hardware_id="monitor")
        self._jump_handle = watch_jumps_back(self, self._on_clock_jump)

    def configure(self) -> None:
        """Load the spec and the calibration; refuse what cannot be read."""
        self._runtime = MonitorRuntime(self, self.config, self._diagnostics.update)
        self._refusal = ""

    def activate(self) -> None:
        """Begin to judge."""
        assert self._runtime is not None  # the lifecycle configures first
        self._runtime.start()
        self._active = True
        self._diagnostics.update()

    def deactivate(self) -> None:
        """Judge no further."""
        self._active = False
        if self._runtime is not None:
            self._runtime.stop()

    def release(self) -> None:
        """Disconnect."""
        if self._runtime is not None:
            self._runtime.destroy()
            self._runtime = None

    def on_refused(self, error: Exception) -> None:
        """Say why there is no monitor."""
        self._refusal = str(error)
        self._diagnostics.publish()

    def _on_clock_jump(self, jump: TimeJump) -> None:
        if self._runtime is not None and self._active:
            self._runtime.reset(f"the clock jumped by {jump.delta.nanoseconds * 1e-9:.3f} s")

    def _health(self) -> Health:
        if self._runtime is None:
            return Health(ERROR, self._refusal or "not configured")
        return self._runtime.report.health() if self._active else Health(WARN, "not active")


def main(args: list[str] | None = None) -> int:
    """Run the node as a process."""
    return run(MonitorNode, args)


if __name__ == "__main__":
    sys.exit(main())
