# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The running policy: what is observed, when it is asked, what becomes of its answers.

It imports core and the seam of policies only. The policy node drives it from topics, the simulated roll-out
by simulated time.
"""
