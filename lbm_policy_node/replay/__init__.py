# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Recorded episodes as a test: rebuild what the policy saw, ask a checkpoint again, compare. No ROS graph.

Uses core, messages, data, policies and monitors; knows nothing of rclpy and of the simulator.
"""
