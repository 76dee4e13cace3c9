# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Why a bag cannot be read, and whether `lbm episodes repair` helps."""

from __future__ import annotations

from pathlib import Path


class BagError(ValueError):
    """A bag that cannot be read; one line that names the file or topic, and what to do."""

    def __init__(self, text: str) -> None:
        """Keep the text on one line, whatever a library's message looks like."""
        super().__init__(" ".join(text.split()))


class RepairableBagError(BagError):
    """A bag that `lbm episodes repair` makes readable; its text ends with that advice."""

    def __init__(self, path: Path, text: str) -> None:
        """Say what is wrong with the bag in a folder."""
        super().__init__(f"'{path}' {text}; run: lbm episodes repair '{path}'")
