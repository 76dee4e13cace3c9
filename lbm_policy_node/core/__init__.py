# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Every rule of behaviour, in numpy: deterministic, with time passed in, no ROS and no learning framework.

Layer rule: modules of this package import the standard library, numpy, yaml and each other, nothing else.
"""
