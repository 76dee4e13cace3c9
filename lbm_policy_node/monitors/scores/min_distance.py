# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""How near the best current sample comes to what is being executed."""

from lbm_policy_node.monitors.pair import SamplePair
from lbm_policy_node.monitors.scores.score import Score


class MinDistance(Score):
    """Minimum over the current samples of the mean squared distance to the previous executed chunk.

    The "min" ablation of STAC (arXiv:2410.04640), per scaled value.
    """

    name = "min_distance"
    min_samples = 1
    compares_executed = True

    def __call__(self, pair: SamplePair) -> float:
        """Return the smallest mean squared distance."""
        return float(pair.executed_xy.min()) / pair.dim
