# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Random numbers that belong to an instant, however often that instant is looked at."""

from __future__ import annotations

import numpy as np


def generator_at(seed: int, tick: int, stream: int = 0) -> np.random.Generator:
    """Return the random generator of one control tick; the same arguments give the same numbers."""
    return np.random.default_rng([seed, tick, stream])
