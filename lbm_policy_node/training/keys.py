# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Names of tensors that exist in training batches only."""

GOAL_KEY = "goal"
