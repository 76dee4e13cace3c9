# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""pi0 and pi0.5, in the format and with the numbers of LeRobot's `pi0` and `pi05`."""
