# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What alarms are good for: how many failures the expert saves when it takes over at the alarm.

A placebo takes over as often, in episodes and at moments drawn at random (the design of arXiv:2606.06660).
Solved episodes that are taken over stay solved; they only use up the budget.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lbm_policy_node.assessment.detectors import Alarm, n_chunks
from lbm_policy_node.assessment.evaluation import TestSet
from lbm_policy_node.assessment.metrics import mcnemar_exact
from lbm_policy_node.assessment.scoring import EpisodeScores
from lbm_policy_node.core.types import Array

DRAWS = 2000


def rescued(episodes: Sequence[EpisodeScores], takeovers: Sequence[int | None], *, in_time: bool) -> Array:
    """Say for each episode whether it fails on its own and a takeover at that chunk saves it, bool.

    Args:
        episodes: With what the expert can do from each chunk.
        takeovers: Chunk per episode, None for none.
        in_time: The expert must be done before the episode's time is up; otherwise it takes as long as it
            was given at recording.
    """
    possible = [e.recoverable_in_time if in_time else e.recoverable for e in episodes]
    return np.array(
        [at is not None and bool(p) and p[at] for p, at in zip(possible, takeovers, strict=True)], dtype=bool
    )


def compare(alarm: Alarm, other: Alarm, data: TestSet, *, in_time: bool, seed: int = 0) -> dict[str, Any]:
    """Compare the takeovers of an alarm with random ones of the same number, and with another alarm's.

    Args:
        alarm: The monitor.
        other: The baseline, for example elapsed time at the same alpha.
        data: Episodes.
        in_time: See `rescued`.
        seed: Of the draws; the first one is the placebo of the paired test.
    """
    takeovers = [alarm(e) for e in data.test]
    baseline = [other(e) for e in data.test]
    budget = sum(at is not None for at in takeovers)
    rng = np.random.default_rng(seed)
    draws = [rescued(data.test, _random_takeovers(data, budget, rng), in_time=in_time) for _ in range(DRAWS)]
    ours, theirs = (
        rescued(data.test, takeovers, in_time=in_time),
        rescued(data.test, baseline, in_time=in_time),
    )
    return {
        "failures": int(data.failed.sum()),
        "recoverable_failures": sum(any(e.recoverable) for e in data.failures),
        "takeovers": budget,
        "rescued": int(ours.sum()),
        "random_rescued_mean": float(np.mean([d.sum() for d in draws])),
        "random_p_value": float(np.mean([d.sum() >= ours.sum() for d in draws])),
        "mcnemar_random": _test(ours, draws[0]),
        "baseline_takeovers": sum(at is not None for at in baseline),
        "baseline_rescued": int(theirs.sum()),
        "mcnemar_baseline": _test(ours, theirs),
    }


def _random_takeovers(data: TestSet, budget: int, rng: np.random.Generator) -> list[int | None]:
    chosen = set(rng.choice(len(data.test), size=budget, replace=False).tolist())
    return [
        int(rng.integers(n_chunks(e, data.mode))) if i in chosen else None for i, e in enumerate(data.test)
    ]


def _test(first: Array, second: Array) -> dict[str, Any]:
    test = mcnemar_exact(first, second)
    return {"only_monitor": test.only_first, "only_other": test.only_second, "p_value": test.p_value}
