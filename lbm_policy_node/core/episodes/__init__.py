# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Episodes: when one begins and ends, who drove, and the labels derived from it."""
