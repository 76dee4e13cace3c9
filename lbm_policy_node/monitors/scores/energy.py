# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Energy distance: disagreement in the actions' own scale, without a bandwidth."""

import numpy as np

from lbm_policy_node.monitors.pair import SamplePair
from lbm_policy_node.monitors.scores.score import Score


class Energy(Score):
    """2 mean |x - y| - mean |x - x'| - mean |y - y'|, diagonals included (Szekely and Rizzo, 2013).

    Scaled units; not the square root of it that SciPy's one-dimensional `energy_distance` returns. With
    rotations it could fall below 0, because the geodesic angle is not of negative type: then it is 0.
    """

    name = "energy"
    min_samples = 2

    def __call__(self, pair: SamplePair) -> float:
        """Return the distance, at least 0."""
        within = np.sqrt(pair.xx).mean() + np.sqrt(pair.yy).mean()
        return max(0.0, float(2.0 * np.sqrt(pair.xy).mean() - within))
