# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A simulated Sawyer arm on Meta-World's MT10 tasks, its scripted experts, and closed-loop evaluation.

May import core, policies, mujoco and metaworld.
"""

import os

os.environ.setdefault("MUJOCO_GL", "egl")  # mujoco reads it when it is first imported
