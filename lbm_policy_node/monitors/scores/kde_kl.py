# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Kullback-Leibler divergence between kernel density estimates of the two sample sets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lbm_policy_node.core.types import Array
from lbm_policy_node.monitors.pair import SamplePair
from lbm_policy_node.monitors.scores.score import Score, ScoreConfig

REVERSE, FORWARD = "reverse", "forward"


@dataclass(frozen=True)
class KdeKl(Score):
    """Mean difference of log densities under Gaussian kernels of one bandwidth (STAC, arXiv:2410.04640).

    "reverse" is KL(previous || current): the mean over the previous samples y of log p_previous(y) -
    log p_current(y). "forward" is KL(current || previous). Each sample counts in its own density, which
    pulls the estimate up; so calibrate with as many samples as the monitor sees.

    The squared bandwidth is the largest eigenvalue of the pooled samples' covariance, but at least
    floor / (2 D): the variance per value of an isotropic cloud whose median squared distance is the floor.
    Where it is 0 (all samples equal, no floor), the result is 0. Estimates below 0 stay as they are.

    Attributes:
        direction: "reverse" or "forward".
        floor: Squared distance in scaled units.
    """

    direction: str
    floor: float = 0.0

    @classmethod
    def make(cls, config: ScoreConfig, folder: Path | None) -> KdeKl:
        """Build the one with the direction that its name says."""
        return cls(config.name.removeprefix("kl_"), config.bandwidth_floor)

    @property
    def name(self) -> str:
        """The score's name."""
        return f"kl_{self.direction}"

    def __call__(self, pair: SamplePair) -> float:
        """Return the divergence in nats."""
        squared_bandwidth = max(largest_variance(pair.pooled), self.floor / (2.0 * pair.dim))
        if squared_bandwidth <= 0.0:
            return 0.0
        # The kernels' normalisation is the same on both sides and drops out.
        if self.direction == REVERSE:
            own, other = pair.yy, pair.xy.T
        else:
            own, other = pair.xx, pair.xy
        densities = (_log_mean_exp(-d / (2.0 * squared_bandwidth)) for d in (own, other))
        return float(np.mean(np.subtract(*densities)))


def largest_variance(squared_distances: Array) -> float:
    """Return the largest eigenvalue of the covariance (divisor N - 1) of N points known by their distances.

    Classical scaling: -J D J / 2, where J centres, has the scatter matrix's eigenvalues.
    """
    n = len(squared_distances)
    means = squared_distances.mean(axis=0)
    scatter = -0.5 * (squared_distances - means - means[:, None] + means.mean())
    return max(0.0, float(np.linalg.eigvalsh(scatter)[-1])) / (n - 1)


def _log_mean_exp(exponents: Array) -> Array:
    """Log of the mean over the last axis of exp, without underflow."""
    largest = exponents.max(axis=-1, keepdims=True)
    return largest[..., 0] + np.log(np.exp(exponents - largest).mean(axis=-1))
