# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What a repair found and did, in one line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class RepairReport:
    """What a repair found and did.

    Attributes:
        path: The bag's folder.
        changed: False when the bag was whole already.
        n_messages: Messages that are in the bag now.
        seconds: From the first to the last of them, s.
        lost_bytes: Bytes that could not be read.
        damaged_original: The first file as it was, kept because of those bytes; None where nothing was lost.
        missing: Topic to messages that metadata.yaml listed beyond those that are there now.
        only_metadata: Whether the files were whole, and only metadata.yaml did not fit them.
    """

    path: Path
    changed: bool
    n_messages: int
    seconds: float
    lost_bytes: int = 0
    damaged_original: Path | None = None
    missing: Mapping[str, int] = field(default_factory=dict)
    only_metadata: bool = False

    def __str__(self) -> str:
        found = f"{self.n_messages} messages over {self.seconds:.2f} s"
        if not self.changed:
            return f"{self.path}: whole, {found}"
        if self.only_metadata:
            found += ", metadata.yaml written anew"
        if self.lost_bytes:
            found += f", {self.lost_bytes} bytes unreadable (kept in {self.damaged_original})"
        if self.missing:
            lost = ", ".join(f"{n} of {topic}" for topic, n in sorted(self.missing.items()))
            found += f", missing of what metadata.yaml listed: {lost}"
        return f"{self.path}: repaired, {found}"
