# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The built-in teleop kinds, one file each; teleop_kinds.py lists them."""
