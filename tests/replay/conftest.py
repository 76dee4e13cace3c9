# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The recorded episodes that these tests replay."""

from helpers.replay_fixtures import checkpoint, perturbed, recording  # noqa: F401  # fixtures
