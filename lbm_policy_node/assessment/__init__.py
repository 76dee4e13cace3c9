# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Measures offline how well a monitor detects failures, on recorded and on simulated episodes.

May import core, data, monitors, policies and sim; SciPy and matplotlib.
"""
