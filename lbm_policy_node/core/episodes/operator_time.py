# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The time of a run in which the operator has the robot; it does not count as the policy's time.

```
   the policy's time  |           the operator's time              |  the policy's time
 POLICY, or any HOLD  | HUMAN, then HOLD or STOPPED until resume   | POLICY, or HOLD without a chunk
```

Every control tick says who drives, so nothing depends on a single message that might be lost.
"""

from dataclasses import dataclass, replace

from lbm_policy_node.core.execution.arbitration import WAITING, ControlMode

SILENCE_NS = 1_000_000_000
"""The operator's time ends this long after the executor's last message: the executor is gone."""


@dataclass(frozen=True)
class OperatorTime:
    """Counts the operator's time in a run.

    Attributes:
        total_ns: Up to the newest tick.
        newest_ns: The newest tick in which the operator had the robot; None while the policy has it.
    """

    total_ns: int = 0
    newest_ns: int | None = None

    def until(self, now_ns: int) -> int:
        """Return the operator's time up to an instant, ns."""
        if self.newest_ns is None:
            return self.total_ns
        return self.total_ns + min(max(now_ns - self.newest_ns, 0), SILENCE_NS)

    def after(self, mode: int, code: int, stamp_ns: int) -> "OperatorTime":
        """Take a control tick: who drives and the code of the reason, as plain numbers of a message.

        A hold or a stop belongs to the operator only after a takeover.
        """
        waits = mode == ControlMode.STOPPED or (mode == ControlMode.HOLD and code in WAITING)
        has = mode == ControlMode.HUMAN or (waits and self.newest_ns is not None)
        return OperatorTime(self.until(stamp_ns), stamp_ns if has else None)

    def restarted(self, now_ns: int) -> "OperatorTime":
        """Begin a new count; an operator who has the robot keeps it."""
        return OperatorTime(0, None if self.newest_ns is None else now_ns)

    def rebased(self, jump_ns: int) -> "OperatorTime":
        """Keep the count when the clock has jumped by ``jump_ns``."""
        return self if self.newest_ns is None else replace(self, newest_ns=self.newest_ns + jump_ns)
