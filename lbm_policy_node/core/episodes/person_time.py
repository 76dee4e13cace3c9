# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""How much of a run a person has had the robot: that time is not the policy's.

```
   the policy's time  |            the person's time               |  the policy's time
 POLICY, or any HOLD  | HUMAN, then HOLD or STOPPED until resume   | POLICY, or HOLD for want of a chunk
```

Who drives is told in every control tick, so nothing depends on a single message that might be lost.
"""

from dataclasses import dataclass, replace

from lbm_policy_node.core.execution.arbitration import WAITING, ControlMode

SILENCE_NS = 1_000_000_000
"""So long after the executor last said that a person has the robot, nobody has it: the executor is gone."""


@dataclass(frozen=True)
class PersonTime:
    """A count of the person's time.

    Attributes:
        total_ns: Up to the newest tick.
        newest_ns: The newest tick in which the person had the robot; None while the policy has it.
    """

    total_ns: int = 0
    newest_ns: int | None = None

    def until(self, now_ns: int) -> int:
        """Return the person's time up to an instant, ns."""
        if self.newest_ns is None:
            return self.total_ns
        return self.total_ns + min(max(now_ns - self.newest_ns, 0), SILENCE_NS)

    def after(self, mode: int, code: int, stamp_ns: int) -> "PersonTime":
        """Take a control tick: who drives and the code of the reason, as plain numbers of a message.

        A hold or a stop belongs to the person only after a takeover.
        """
        waits = mode == ControlMode.STOPPED or (mode == ControlMode.HOLD and code in WAITING)
        has = mode == ControlMode.HUMAN or (waits and self.newest_ns is not None)
        return PersonTime(self.until(stamp_ns), stamp_ns if has else None)

    def anew(self, now_ns: int) -> "PersonTime":
        """Begin a new count; a person who has the robot keeps it."""
        return PersonTime(0, None if self.newest_ns is None else now_ns)

    def rebased(self, jump_ns: int) -> "PersonTime":
        """Keep the count when the clock has jumped by so much."""
        return self if self.newest_ns is None else replace(self, newest_ns=self.newest_ns + jump_ns)
