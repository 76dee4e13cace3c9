# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Policies: observations in, action chunks out. Imports core, messages, torch (not `remote`)."""
