# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What a node says about its own health; becomes a line of /diagnostics."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

OK: Final[bytes] = b"\x00"
WARN: Final[bytes] = b"\x01"
ERROR: Final[bytes] = b"\x02"
"""The levels of diagnostic_msgs/DiagnosticStatus, in its own type."""


@dataclass(frozen=True)
class Health:
    """A level, one sentence, and the figures behind it."""

    level: bytes
    message: str
    values: Mapping[str, object] = field(default_factory=dict)
