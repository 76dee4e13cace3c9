# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Detectors of missing progress: slower than the chunk monitor, which never waits for them."""
