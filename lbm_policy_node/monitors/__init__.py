# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Judges action chunks while a policy runs.

May import core and numpy; torch and SciPy only where a score or the calibration needs them.
"""
