# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Disagreement of one sample with the one before: for policies that give a single sample."""

from lbm_policy_node.monitors.pair import SamplePair
from lbm_policy_node.monitors.scores.score import Score


class OverlapError(Score):
    """Mean squared difference of sample 0 to the previous sample 0 on the overlap.

    STAC for one sample (arXiv:2506.09937, there the mean L2 distance). Per scaled value, so it does not grow
    with the overlap; a rotation counts as three values.
    """

    name = "overlap_error"
    min_samples = 1

    def __call__(self, pair: SamplePair) -> float:
        """Return the mean squared difference."""
        return float(pair.xy[0, 0]) / pair.dim
