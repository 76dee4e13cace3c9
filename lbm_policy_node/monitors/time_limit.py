# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""How long an episode has lasted: the simplest sign of failure, which no score should mimic."""

from __future__ import annotations

from lbm_policy_node.core.types import ActionChunk


def elapsed_s(first: ActionChunk, chunk: ActionChunk) -> float:
    """Time of a chunk's observation since that of the episode's first chunk."""
    return (chunk.observation_stamp_ns - first.observation_stamp_ns) * 1e-9
