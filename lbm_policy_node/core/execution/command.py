# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What one control tick yields."""

from dataclasses import dataclass

from lbm_policy_node.core.execution.arbitration import ControlMode
from lbm_policy_node.core.execution.braking import Brake
from lbm_policy_node.core.execution.plan import Plan
from lbm_policy_node.core.reasons import Reason
from lbm_policy_node.core.types import Array


@dataclass(frozen=True, eq=False)
class Command:
    """What to send now and who decided it.

    Attributes:
        action: Spec order and units, shape (action_dim,), read-only; None to send nothing.
        mode: Who drives.
        reason: Why; OK only while the policy drives.
        chunk_id: The newest chunk in the plan; 0 for none.
        proposed: What the policy proposes now, or None.
        plan: The policy's motion from now on, only in the tick in which it changes.
        source: The teleop source that drives; empty unless the operator drives.
        stop: The deceleration to rest, in every tick until it is obeyed; the same object for the same stop.
    """

    action: Array | None
    mode: ControlMode
    reason: Reason
    chunk_id: int
    proposed: Array | None
    plan: Plan | None
    source: str = ""
    stop: Brake | None = None
