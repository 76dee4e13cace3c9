# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A keyboard as a gamepad: keys decoded, held, and read from a terminal."""
