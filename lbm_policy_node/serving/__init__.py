# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Policies for other processes and machines, by websocket. Needs no ROS."""
