# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""An operator who takes over in simulation, with the simulator's expert at hand."""
