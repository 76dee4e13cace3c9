# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What tests share: robots, graphs, recordings and processes that several folders use."""
