# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""When a stop of the robot ends the run: an emergency stop at once, the monitor's after a window.

```
 POLICY | HOLD, MONITOR_STOP ...... window is over: the run ends
        | HOLD, MONITOR_STOP .. HUMAN, or resume: the run goes on
        | STOPPED: the run ends
```
"""

from dataclasses import dataclass, replace

from lbm_policy_node.core.execution.arbitration import ControlMode
from lbm_policy_node.core.reasons import ReasonCode


@dataclass(frozen=True)
class StopWatch:
    """What the control ticks of one run said of stops.

    Attributes:
        drove: Whether a tick without a stop by the monitor has come. Until then such a hold is the one of the
            run before, which the executor leaves as soon as it hears of the new run.
        stopped: Whether the newest tick said that the emergency stop is latched.
        held_ns: The first tick of the hold by the monitor; None while there is none.
        newest_ns: The newest tick.
    """

    drove: bool = False
    stopped: bool = False
    held_ns: int | None = None
    newest_ns: int = 0

    def after(self, mode: int, code: int, stamp_ns: int) -> "StopWatch":
        """Take a control tick of the run: mode and the code of its reason, as plain numbers of a message."""
        held = mode == ControlMode.HOLD and code == ReasonCode.MONITOR_STOP
        since_ns = stamp_ns if self.held_ns is None else self.held_ns
        return StopWatch(
            drove=self.drove or not held,
            stopped=mode == ControlMode.STOPPED,
            held_ns=since_ns if held and self.drove else None,
            newest_ns=stamp_ns,
        )

    def rebased(self, jump_ns: int) -> "StopWatch":
        """Keep the window when the clock has jumped by ``jump_ns``."""
        held_ns = None if self.held_ns is None else self.held_ns + jump_ns
        return replace(self, held_ns=held_ns, newest_ns=self.newest_ns + jump_ns)

    def monitor_stop_over(self, window_s: float) -> bool:
        """Whether nobody took over or resumed for so long after the monitor's stop, s."""
        return self.held_ns is not None and self.newest_ns - self.held_ns >= round(window_s * 1e9)
