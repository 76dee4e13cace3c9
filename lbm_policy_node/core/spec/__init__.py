# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The robot spec: one YAML file per robot, and whether a checkpoint fits it."""
