# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""From action chunks to commands: merging, limits, interpolation, braking, arbitration."""
