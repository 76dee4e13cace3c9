# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The files of a checkpoint: configuration, tensors, processors, and what we add to them."""
