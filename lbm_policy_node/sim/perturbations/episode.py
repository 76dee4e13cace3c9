# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What a named disturbance means for one episode."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from lbm_policy_node.sim.perturbations.perturbation import Perturbation


@dataclass(frozen=True, kw_only=True)
class PerturbedEpisode:
    """A disturbance drawn for one episode.

    Attributes:
        perturbations: Hooks for the robot.
        instruction: Given to the policy instead of the task's instruction.
        latency_steps: Policy steps between an observation and its chunk; the runner's to apply.
        drawn: The magnitudes that the seed chose, by name with unit.
    """

    perturbations: tuple[Perturbation, ...] = ()
    instruction: str | None = None
    latency_steps: int = 0
    drawn: Mapping[str, float] = field(default_factory=dict)


class Draws:
    """A seeded generator that keeps account of the magnitudes it gave out."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self.drawn: dict[str, float] = {}

    def uniform(self, name: str, low: float, high: float) -> float:
        """Draw from [low, high)."""
        self.drawn[name] = value = float(self._rng.uniform(low, high))
        return value

    def integer(self, name: str, low: int, high: int) -> int:
        """Draw from low to high, both included."""
        value = int(self._rng.integers(low, high + 1))
        self.drawn[name] = float(value)
        return value

    def seed(self) -> int:
        """Draw a seed for noise; not a magnitude."""
        return int(self._rng.integers(2**31))
