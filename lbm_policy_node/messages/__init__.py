# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Messages as values of core, whether they come from rclpy or out of a bag; no ROS needed."""
