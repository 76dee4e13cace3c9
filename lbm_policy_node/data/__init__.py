# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Datasets on disk. May import core, messages, bag libraries, pyarrow and PyAV."""
