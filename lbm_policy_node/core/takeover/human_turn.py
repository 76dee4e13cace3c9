# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What one control tick says about the operator's turn, and how the reason of the mode includes it."""

from dataclasses import dataclass, replace

from lbm_policy_node.core.reasons import OK, Reason
from lbm_policy_node.core.types import Array


@dataclass(frozen=True, eq=False)
class HumanTurn:
    """What one tick of the takeover yields.

    Attributes:
        source: Name of the source that drives; empty while none drives.
        action: The command, spec order and units, shape (action_dim,); None while none drives.
        reason: Why the last turn was paused or a press was not followed; OK otherwise, also after a release.
        ignored: Sources that are pressed but come second.
        refused: In this tick an operator pressed and was not followed, though no other source drives.
        complaints: Why presses, or messages of the source that drives, are not followed, one per source; and
            what the leash holds back.
    """

    source: str = ""
    action: Array | None = None
    reason: Reason = OK
    ignored: tuple[str, ...] = ()
    refused: bool = False
    complaints: tuple[str, ...] = ()


def with_teleop_notes(reason: Reason, turn: HumanTurn) -> Reason:
    """Return the reason of a mode, and in its text what the operator must know of the teleop sources."""
    parts = [reason.text] if reason.text else []
    notes = [
        *turn.complaints,
        *(f"{name} is pressed, too; {turn.source} comes first" for name in turn.ignored),
    ]
    if not (turn.source or turn.reason.ok or reason.ok):
        notes.insert(0, turn.reason.text)
    if not notes:
        return reason
    for note in notes:
        if not any(note in part for part in parts):
            parts = [*(part for part in parts if part not in note), note]
    return replace(reason, text="; ".join(parts))
