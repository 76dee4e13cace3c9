# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The ROS 2 nodes and everything that touches rclpy or a message; behaviour lives in ``core``.

Layer rule: imports core, lbm_msgs and rclpy; the policy node also policies, the simulated robot node sim.
"""
