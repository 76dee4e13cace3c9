# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Which changes of control make the monitor forget what it has seen and start over.

```
    POLICY --> HUMAN         takeover: reset          HUMAN --> any other mode    hand-back: reset
    STOPPED --> HOLD         stop was reset: reset    HOLD, waiting --> go on     hold was lifted: reset
```

A hold is waiting while only the operator or a new goal can end it. The first chunk of a run that begins in
that time restarts the monitor already; the end of the hold must not restart it once more.
"""

from lbm_policy_node.core.execution.arbitration import WAITING, ControlMode

_LEFT = {
    int(ControlMode.HUMAN): "the operator handed back",
    int(ControlMode.STOPPED): "the emergency stop was reset",
}


class Interruptions:
    """Watches modes and chunks; plain numbers are taken, because a message may hold any."""

    def __init__(self) -> None:
        self._mode: int | None = None
        self._waits = False
        self._run_began = False

    def on_chunk(self, index: int) -> None:
        """Take a chunk's place in its run; 0 is the first one."""
        self._run_began = self._run_began or index == 0

    def on_control(self, mode: int, code: int) -> str:
        """Take who drives and the code of the reason.

        Returns:
            Why the monitor must start over; empty when it need not.
        """
        before, waited = self._mode, self._waits
        self._mode = mode
        self._waits = mode == ControlMode.STOPPED or (mode == ControlMode.HOLD and code in WAITING)
        if self._waits and not waited:
            self._run_began = False
        if before is not None and before != mode:
            if mode == ControlMode.HUMAN:
                return "the operator took over"
            if before in _LEFT:
                return _LEFT[before]
        lifted = waited and not self._waits and not self._run_began
        return "a hold was lifted" if lifted else ""
