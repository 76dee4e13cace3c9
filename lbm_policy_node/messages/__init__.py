# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Messages as values, whether they come from rclpy, out of a bag or by websocket; no ROS needed."""
