# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Action-chunk entropy: in how many bins the current samples lie."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from lbm_policy_node.core.types import Array
from lbm_policy_node.monitors.pair import SamplePair
from lbm_policy_node.monitors.scores.score import Score, ScoreConfig

BIN_WIDTH = 0.1


@dataclass(frozen=True)
class Entropy(Score):
    """Entropy of a histogram of the current samples per future step and scored value, summed (nats).

    After FIPER's action-chunk entropy (arXiv:2510.09459). The bins have one fixed width, 0.1 scaled units
    unless the parameter "bin_width" says otherwise, so a tight set has entropy 0 instead of being stretched
    over the bins. The middle bin is centred on the samples' mean, so a tight set does not straddle an edge.
    At most D log K, which is reached where every sample has a bin of its own.

    Attributes:
        bin_width: Scaled units, above 0.

    Raises:
        ValueError: If it is not.
    """

    bin_width: float = BIN_WIDTH
    name: ClassVar[str] = "entropy"
    parameters: ClassVar[frozenset[str]] = frozenset({"bin_width"})

    def __post_init__(self) -> None:
        if not self.bin_width > 0.0:
            raise ValueError(f"parameter 'bin_width' of 'entropy' must be above 0, is {self.bin_width}")

    @classmethod
    def make(cls, config: ScoreConfig, folder: Path | None) -> Entropy:
        """Build the score with the parameter "bin_width", if there is one."""
        return cls(config.number("bin_width", BIN_WIDTH))

    def __call__(self, pair: SamplePair) -> float:
        """Return the summed entropy in nats."""
        values = pair.current_values.reshape(pair.n_current, -1)
        bins = np.floor((values - values.mean(axis=0)) / self.bin_width + 0.5)
        return float(_summed_entropy(bins))


def _summed_entropy(bins: Array) -> float:
    """Sum over columns of the entropy of how often each value occurs, shape (K, columns)."""
    ordered = np.sort(bins, axis=0).T
    begins = np.ones(ordered.shape, dtype=bool)
    begins[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    counts = np.diff(np.append(np.flatnonzero(begins), begins.size))
    shares = counts / len(bins)
    return max(0.0, float(-(shares * np.log(shares)).sum()))
