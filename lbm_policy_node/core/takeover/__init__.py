# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A person at the controls: dead-man switch, targets, ramps, the leash."""
