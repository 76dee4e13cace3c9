# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What a progress detector sees and what it says."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lbm_policy_node.core.types import ImageArray, read_only


@dataclass(frozen=True, eq=False, kw_only=True)
class ProgressSnapshot:
    """One moment of an episode.

    Attributes:
        stamp_ns: Header time of the picture, ns of the ROS clock.
        elapsed_s: Time since the episode began.
        time_limit_s: Time allowed for the task; infinite where there is no limit.
        instruction: Instruction that was given to the policy.
        image: uint8 RGB (height, width, 3); must not change afterwards.

    Raises:
        ValueError: A value that cannot be; the message names it.
    """

    stamp_ns: int
    elapsed_s: float
    time_limit_s: float
    instruction: str
    image: ImageArray

    def __post_init__(self) -> None:
        image = self.image
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
            raise ValueError(f"the image must be uint8 (H, W, 3), is {image.dtype} {image.shape}")
        if not (math.isfinite(self.elapsed_s) and self.elapsed_s >= 0):
            raise ValueError(f"elapsed_s is {self.elapsed_s}, expected a finite number of at least 0")
        if not self.time_limit_s > 0:
            raise ValueError(f"time_limit_s is {self.time_limit_s}, expected a number above 0, or infinity")
        object.__setattr__(self, "image", read_only(image))


@dataclass(frozen=True, kw_only=True)
class ProgressReport:
    """What a detector concluded from one snapshot.

    Attributes:
        stamp_ns: Of the snapshot that was judged; older than now by the time that judging took.
        failed: Whether the task is judged to fail; None: no verdict, which is never an all-clear.
        score: Larger means less progress; NaN without a verdict.
        detector: The detector's name, such as "vlm".
        text: Why, in words, for an operator.

    Raises:
        ValueError: A verdict without a finite score, or no verdict without a reason.
    """

    stamp_ns: int
    failed: bool | None
    score: float
    detector: str
    text: str

    def __post_init__(self) -> None:
        if self.failed is not None and not math.isfinite(self.score):
            raise ValueError(f"a verdict needs a finite score, it is {self.score}")
        if self.failed is None and not self.text:
            raise ValueError("no verdict needs a reason in words, the text is empty")


def no_verdict(stamp_ns: int, detector: str, reason: str) -> ProgressReport:
    """The report of a detector that could not judge."""
    return ProgressReport(stamp_ns=stamp_ns, failed=None, score=math.nan, detector=detector, text=reason)
