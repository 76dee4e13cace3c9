# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The running policy: its goal, its schedule, its inferences and its status; no ROS here.

It imports core and the seam of policies only. The policy node drives it from topics, the simulated roll-out
by simulated time.
"""
