# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Run language-conditioned manipulation policies on physical robots under ROS 2.

Layers, from the bottom: `core` (every rule of behaviour, numpy only), `policies`, `data`, `training`, `sim`,
`ros` (the only importer of rclpy) and `cli`. tests/project/test_layers.py holds what each may import.
"""

__version__ = "0.1.0"
