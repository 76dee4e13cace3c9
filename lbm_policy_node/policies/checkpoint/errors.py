# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The one error of checkpoint loading."""

from __future__ import annotations

from pathlib import Path


class CheckpointError(ValueError):
    """A checkpoint cannot be used; names the file, the field in it and what was expected.

    Attributes:
        file: The offending file or directory ("" while it is not known).
        field: The field or tensor inside it ("" when the file itself is wrong).
        expectation: What is wrong and what was expected, one sentence.
    """

    def __init__(self, file: str | Path, field: str, expectation: str) -> None:
        self.file = str(file)
        self.field = field
        self.expectation = expectation
        super().__init__(": ".join(part for part in (self.file, field, expectation) if part))


class PolicyUnavailable(RuntimeError):
    """A policy cannot be asked now; the same request may succeed later.

    The run is held meanwhile and goes on afterwards; it is not counted as a failure of the policy.
    """
