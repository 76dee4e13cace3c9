# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The multitask diffusion transformer, in the format and with the numbers of LeRobot's `multi_task_dit`."""
