# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Maximum mean discrepancy with a Gaussian kernel, in three choices of bandwidth."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lbm_policy_node.monitors.pair import SamplePair
from lbm_policy_node.monitors.scores.score import Score, ScoreConfig

MEDIAN, DIM, FLOORED = "median", "dim", "floored"


@dataclass(frozen=True)
class Mmd(Score):
    """Squared MMD: mean k(x, x') + mean k(y, y') - 2 mean k(x, y), k = exp(-gamma d^2).

    The biased V-statistic, diagonals included, as STAC takes it (arXiv:2410.04640): its mean without any
    disagreement falls with the number of samples, so calibrate with as many as the monitor sees. Rounding,
    and rotations, for which the kernel need not be positive definite, could make it negative: then it is 0.

    Attributes:
        bandwidth: "median": gamma = 1 / (2 median d^2) over the positive squared distances of all samples
            pooled, STAC's choice for PushT; free of scale: with a thousandth of the noise a policy scores the
            same. "dim": gamma = 1 / D, STAC's choice for its other simulations. "floored": gamma =
            1 / (2 max(median d^2, floor)), so that noise far below what calibration saw is no disagreement.
        floor: Squared distance in scaled units; only for "floored".

    Where all samples are equal and there is no floor, the result is 0.
    """

    bandwidth: str
    floor: float = 0.0

    @classmethod
    def make(cls, config: ScoreConfig, folder: Path | None) -> Mmd:
        """Build the one with the bandwidth that its name says."""
        bandwidth = config.name.removeprefix("mmd_")
        return cls(bandwidth, config.bandwidth_floor if bandwidth == FLOORED else 0.0)

    @property
    def name(self) -> str:
        """The score's name."""
        return f"mmd_{self.bandwidth}"

    def __call__(self, pair: SamplePair) -> float:
        """Return the squared MMD, 0 to 2."""
        gamma = self._gamma(pair)
        if gamma == 0.0:
            return 0.0
        within = np.exp(-gamma * pair.xx).mean() + np.exp(-gamma * pair.yy).mean()
        return max(0.0, float(within - 2.0 * np.exp(-gamma * pair.xy).mean()))

    def _gamma(self, pair: SamplePair) -> float:
        """The kernel's factor; 0 where there is no distance to take it from."""
        if self.bandwidth == DIM:
            return 1.0 / pair.dim
        width = 2.0 * max(pair.median_squared_distance, self.floor)
        return 1.0 / width if width > 0.0 else 0.0
