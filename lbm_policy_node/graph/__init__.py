# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Which processes a graph has, how they reach each other, and who starts and watches them."""
