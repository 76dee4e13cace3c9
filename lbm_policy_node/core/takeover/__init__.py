# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The operator at the controls: dead-man switch, targets, ramps, the leash."""
