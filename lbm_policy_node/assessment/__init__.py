# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Says offline how well a monitor tells failures from successes, on recorded and on simulated episodes.

May import core, data, monitors, policies and sim; SciPy and matplotlib.
"""
