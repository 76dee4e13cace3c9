# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Where things lie, wherever a test does."""

from pathlib import Path

TESTS = Path(__file__).parents[1]
ASSETS = TESTS / "assets"
ROOT = TESTS.parent
