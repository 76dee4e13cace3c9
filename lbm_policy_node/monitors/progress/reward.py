# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Missing progress seen in the simulator's reward; for evaluation, a real robot has no such reward."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lbm_policy_node.core.settings import check_settings, setting
from lbm_policy_node.core.types import Array


@dataclass(frozen=True)
class RewardConfig:
    """When a reward that does not improve counts as a failure."""

    window_s: float = setting(
        3.0, "Time without improvement after which the task counts as failed.", unit="s", low=0.0
    )
    min_improvement: float = setting(
        0.05, "How much the best reward must rise to count, in the reward's unit.", low=0.0
    )
    done_reward: float = setting(
        math.inf, "At or above this reward the task is done, and standing still is right."
    )

    def __post_init__(self) -> None:
        check_settings(self)
        if not (math.isfinite(self.window_s) and self.window_s > 0):
            raise ValueError(f"window_s is {self.window_s}, expected a finite number above 0")
        if not math.isfinite(self.min_improvement):
            raise ValueError(f"min_improvement is {self.min_improvement}, expected a finite number")
        if math.isnan(self.done_reward):
            raise ValueError("done_reward is not a number")


class RewardProgress:
    """The score: time since the best reward last improved, in windows.

    ```
    reward  1 2 2 2 2 2 3        score  0 0 .25 .5 .75 1 0     (window: four steps)
    ```
    0 while the reward rises or the task is done, above 1 after a window without improvement. Improvements
    are counted from the reward of the last one, so a slow but steady rise is progress.
    """

    def __init__(self, config: RewardConfig) -> None:
        """Begin an episode."""
        self._config = config
        self._best = -math.inf
        self._improved_ns = 0
        self._stamp_ns: int | None = None

    def update(self, stamp_ns: int, reward: float) -> float:
        """The score at a stamp; NaN for a reward that is not finite, which is otherwise ignored.

        Raises:
            ValueError: The stamp lies before the last one.
        """
        if self._stamp_ns is not None and stamp_ns < self._stamp_ns:
            raise ValueError(f"the stamp {stamp_ns} ns lies before the last one, {self._stamp_ns} ns")
        self._stamp_ns = stamp_ns
        if not math.isfinite(reward):
            return math.nan
        first = self._best == -math.inf
        if first or reward > self._best + self._config.min_improvement or reward >= self._config.done_reward:
            self._best, self._improved_ns = max(reward, self._best), stamp_ns
        return (stamp_ns - self._improved_ns) / 1e9 / self._config.window_s


def trace(stamps_ns: Array, rewards: Array, config: RewardConfig | None = None) -> Array:
    """The scores of a recorded episode.

    Args:
        stamps_ns: Ascending, shape (steps,).
        rewards: Shape (steps,).
        config: The default where None.

    Returns:
        Scores, shape (steps,); a value above 1 is a failure.

    Raises:
        ValueError: Shapes that differ, or stamps that go back.
    """
    if stamps_ns.ndim != 1 or stamps_ns.shape != rewards.shape:
        raise ValueError(
            f"stamps {stamps_ns.shape} and rewards {rewards.shape} must be vectors of one length"
        )
    progress = RewardProgress(config or RewardConfig())
    return np.array(
        [progress.update(int(t), float(r)) for t, r in zip(stamps_ns, rewards, strict=True)], dtype=float
    )
