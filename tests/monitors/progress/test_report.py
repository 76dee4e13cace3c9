# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Snapshots and reports check themselves."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lbm_policy_node.monitors.progress.report import ProgressReport, ProgressSnapshot, no_verdict


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"image": np.zeros((4, 4, 3))}, "must be uint8"),
        ({"image": np.zeros((4, 4), np.uint8)}, "must be uint8"),
        ({"image": np.zeros((0, 4, 3), np.uint8)}, "must be uint8"),
        ({"elapsed_s": -1.0}, "elapsed_s is -1.0"),
        ({"elapsed_s": math.nan}, "elapsed_s is nan"),
        ({"time_limit_s": 0.0}, "time_limit_s is 0.0"),
        ({"time_limit_s": math.nan}, "time_limit_s is nan"),
    ],
)
def test_an_impossible_snapshot_is_refused(
    snapshot: Callable[..., ProgressSnapshot], changes: dict[str, Any], named: str
) -> None:
    with pytest.raises(ValueError, match=named):
        snapshot(**changes)


def test_a_task_may_have_no_time_limit(snapshot: Callable[..., ProgressSnapshot]) -> None:
    assert snapshot(time_limit_s=math.inf).time_limit_s == math.inf


def test_a_verdict_needs_a_score_and_no_verdict_a_reason() -> None:
    with pytest.raises(ValueError, match="finite score"):
        ProgressReport(stamp_ns=0, failed=False, score=math.nan, detector="x", text="fine")
    with pytest.raises(ValueError, match="reason in words"):
        no_verdict(0, "x", "")
