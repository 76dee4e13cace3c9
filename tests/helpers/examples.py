# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""How many examples a property is tried on."""

from hypothesis import settings

WHOLE = 100
"""The number where a test does not choose one, in a run of the whole suite."""


def examples(count: int) -> settings:
    """Return a decorator that tries a property on so many examples; a fast run takes a fifth of them.

    Args:
        count: In a run of the whole suite.
    """
    return settings(max_examples=count * settings().max_examples // WHOLE)
