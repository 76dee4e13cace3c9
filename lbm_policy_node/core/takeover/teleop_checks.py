# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Checks that several teleop kinds share; each returns why a sample must not be followed."""

import numpy as np

from lbm_policy_node.core.reasons import Reason, ReasonCode
from lbm_policy_node.core.spec.teleop_sources import TeleopSource
from lbm_policy_node.core.types import Array


def check_frame(source: TeleopSource, frame: str, expected: str) -> Reason | None:
    """Check the frame_id of a message."""
    if frame == expected:
        return None
    text = f"{source.name}: {source.topic} is in frame '{frame}', the spec expects '{expected}'"
    return Reason(ReasonCode.OBSERVATION_WRONG_FRAME, text)


def check_finite(source: TeleopSource, numbers: Array) -> Reason | None:
    """Check that no number is NaN or infinite."""
    if np.isfinite(numbers).all():
        return None
    text = f"{source.name}: {source.topic} holds {numbers.tolist()}"
    return Reason(ReasonCode.OBSERVATION_NON_FINITE, text)


def jump(source: TeleopSource, what: str, size: float, limit: float, unit: str) -> Reason:
    """Say that something jumped between two messages by more than its limit."""
    text = f"{source.name}: {what} jumped by {size:.4g} {unit} between two messages, limit {limit:g} {unit}"
    return Reason(ReasonCode.START_JUMP, text)
