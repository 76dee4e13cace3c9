# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What must stay the same for the scores of two chunks to be comparable."""

from __future__ import annotations

from dataclasses import dataclass

from lbm_policy_node.core.types import ActionChunk


@dataclass(frozen=True, kw_only=True)
class ChunkLayout:
    """Which policy, and how it is asked.

    Attributes:
        checkpoint_id: Which weights.
        n_samples: K, samples per chunk.
        horizon: Rows of a chunk.
        execution_horizon: Rows planned before the next chunk takes over; 0 where that is not fixed.
        step_ns: Time between rows.
        action_names: Name of each column.

    Raises:
        ValueError: A number is not possible.
    """

    checkpoint_id: str
    n_samples: int
    horizon: int
    execution_horizon: int
    step_ns: int
    action_names: tuple[str, ...]

    def __post_init__(self) -> None:
        smallest = {"n_samples": 0, "horizon": 1, "execution_horizon": 0, "step_ns": 1}
        for name, least in smallest.items():
            if getattr(self, name) < least:
                raise ValueError(f"{name} is {getattr(self, name)}, expected at least {least}")

    @classmethod
    def of(cls, chunk: ActionChunk) -> ChunkLayout:
        """The layout of one chunk."""
        return cls(
            checkpoint_id=chunk.checkpoint_id,
            n_samples=len(chunk.samples),
            horizon=chunk.horizon,
            execution_horizon=chunk.execution_horizon,
            step_ns=chunk.step_ns,
            action_names=chunk.action_names,
        )

    def differences(self, expected: ChunkLayout) -> dict[str, str]:
        """Name what differs from another layout: field to a sentence with both values."""
        ours, theirs = self._facts(), expected._facts()
        return {
            field: f"{words} is {ours[field][1]}, expected {theirs[field][1]}"
            for field, (words, _) in ours.items()
            if getattr(self, field) != getattr(expected, field)
        }

    def _facts(self) -> dict[str, tuple[str, str]]:
        """Field to its name in words and its value."""
        return {
            "checkpoint_id": ("checkpoint", self.checkpoint_id or "(unknown)"),
            "n_samples": ("K", f"{self.n_samples} samples"),
            "horizon": ("horizon", f"{self.horizon} rows"),
            "execution_horizon": ("execution horizon", f"{self.execution_horizon} rows"),
            "step_ns": ("step", f"{self.step_ns * 1e-9:g} s"),
            "action_names": ("action names", f"[{', '.join(self.action_names)}]"),
        }
