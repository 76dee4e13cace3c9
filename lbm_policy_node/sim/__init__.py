# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A simulated Sawyer arm on Meta-World's MT10 tasks, its scripted experts, and closed-loop evaluation.

May import core, policies, mujoco and metaworld.
"""
