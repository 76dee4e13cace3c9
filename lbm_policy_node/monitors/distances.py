# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Squared distances between all samples at once."""

import numpy as np

from lbm_policy_node.core.types import Array

RESOLUTION = 1e-6
"""Scaled values closer than this are equal: rounding of a float32 policy is no disagreement."""
GRAM_ROUNDING = 1e-13
"""Rounding of a squared distance by way of scalar products, relative to the largest squared norm."""


def squared_distances(linear: Array, turns: Array, turn_scale: Array) -> Array:
    """Return the squared distances between N samples, summed over their values.

    Distances below the resolution (root mean square difference 1e-6) are exactly 0, so that equal samples
    have no rounding noise for a bandwidth to be taken from.

    Args:
        linear: Scaled values, shape (N, n_values).
        turns: Unit quaternions, shape (N, n_turns, 4).
        turn_scale: Divisor of each turn's angle, rad, shape (n_turns,).

    Returns:
        Symmetric with a diagonal of 0, shape (N, N).
    """
    centred = linear - linear.mean(axis=0)  # the scalar products then carry the spread, not the position
    products = centred @ centred.T
    norms = np.diagonal(products)
    distances = (norms[:, None] + norms) - 2.0 * products
    for index, scale in enumerate(turn_scale):
        cosines = np.abs(turns[:, index] @ turns[:, index].T)  # of half the angle; q and -q are one rotation
        distances += (2.0 / scale * np.arccos(np.minimum(cosines, 1.0))) ** 2
    dim = linear.shape[1] + 3 * len(turn_scale)
    smallest = max(dim * RESOLUTION**2, GRAM_ROUNDING * float(norms.max()))
    distances[distances < smallest] = 0.0
    np.fill_diagonal(distances, 0.0)
    return distances
