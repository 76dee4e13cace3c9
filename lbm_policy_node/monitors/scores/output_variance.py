# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""How far the current samples spread; the previous ones do not matter."""

from lbm_policy_node.monitors.pair import SamplePair
from lbm_policy_node.monitors.scores.score import Score


class OutputVariance(Score):
    """Variance over the current samples (division by K), mean over the overlap's rows and scaled values."""

    name = "output_variance"
    min_samples = 2

    def __call__(self, pair: SamplePair) -> float:
        """Return the mean variance."""
        return float(pair.current_values.var(axis=0).mean())
