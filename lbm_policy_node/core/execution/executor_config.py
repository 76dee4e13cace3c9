# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The settings of the chunk executor."""

from dataclasses import dataclass

from lbm_policy_node.core.execution.merging import ChunkBufferConfig
from lbm_policy_node.core.settings import setting

HOLD = "hold"
RESUME = "resume"


@dataclass(frozen=True)
class ChunkExecutorConfig(ChunkBufferConfig):
    """How chunks are merged, when they are too old, how the robot comes to rest, what a hand-back means."""

    max_chunk_age_s: float = setting(
        2.0,
        "Age of the observation behind a chunk after which it is not executed further.",
        unit="s",
        low=0.01,
        high=60.0,
    )
    stop_s: float = setting(
        0.2,
        "Duration of the deceleration to hold; longer where limits ask for it.",
        unit="s",
        low=0.0,
        high=5.0,
    )
    after_takeover: str = setting(
        HOLD,
        "What follows when the operator releases the dead-man switch. hold: wait for resume or a new goal; "
        "resume: the policy goes on. After a turn that ended otherwise it always waits.",
        choices=(HOLD, RESUME),
    )
