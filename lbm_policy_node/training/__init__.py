# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Training of policies. May import core, policies, data, torch and accelerate."""
