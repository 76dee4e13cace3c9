# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The measurement behind `lbm bench-monitor`, in a process that was started with one thread; prints JSON."""

import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lbm_policy_node.core.types import ActionChunk
from lbm_policy_node.monitors.columns import ScoredColumns
from lbm_policy_node.monitors.flow_file import FILE, read_flow
from lbm_policy_node.monitors.pair import SamplePair, make_pair
from lbm_policy_node.monitors.scale import ActionScale
from lbm_policy_node.monitors.scores.registry import make_score, score_class, score_names
from lbm_policy_node.monitors.scores.score import ScoreConfig
from lbm_policy_node.paths import shared_path

HORIZON, EXECUTED, WIDTH = 16, 8, 4
STEP_NS = 50_000_000
COLUMNS = ScoredColumns((*"abcd", "gripper"), tuple(range(WIDTH)))
SCALE = ActionScale.unit(COLUMNS)
TRAINED = shared_path("checkpoints/mt10")
EMBEDDING_DIM = read_flow(TRAINED / FILE).embedding_dim


def chunk(index: int, n_samples: int) -> ActionChunk:
    """A chunk of random samples, 8 rows after the one before."""
    shape = (n_samples, HORIZON, len(COLUMNS.action_names))
    samples = np.random.default_rng(index).normal(0.0, 0.3, shape)
    start_ns = index * EXECUTED * STEP_NS
    return ActionChunk(
        chunk_id=index,
        observation_stamp_ns=start_ns,
        start_ns=start_ns,
        step_ns=STEP_NS,
        actions=samples[0],
        samples=samples,
        action_names=COLUMNS.action_names,
        embedding=np.random.default_rng(index).normal(size=EMBEDDING_DIM).astype(np.float32),
    )


def contenders() -> dict[str, Callable[[SamplePair], object]]:
    """What is timed on each pair: reading a distance, and every score whose files mt10 has."""
    found: dict[str, Callable[[SamplePair], object]] = {"pair": lambda pair: pair.xx}
    for name in score_names():
        if all((TRAINED / file).exists() for file in score_class(name).files):
            found[name] = make_score(ScoreConfig(name, bandwidth_floor=1.0), TRAINED)
    return found


def measure(n_samples: int, repeats: int) -> dict[str, dict[str, float]]:
    """Time all contenders by turns, so that a disturbance hits each of them; ms."""
    scores = contenders()
    chunks = [chunk(index, n_samples) for index in range(4)]
    times: dict[str, list[float]] = {name: [] for name in scores}
    for repeat in range(repeats + 1):
        previous, current = chunks[repeat % 3 : repeat % 3 + 2]
        for name, score in scores.items():
            begin = time.perf_counter()
            score(make_pair(previous, current, COLUMNS, SCALE))
            times[name].append((time.perf_counter() - begin) * 1e3)
    # The first round warms up.
    return {
        name: {"median": float(np.median(t[1:])), "p99": float(np.quantile(t[1:], 0.99))}
        for name, t in times.items()
    }


def main(arguments: Sequence[str]) -> None:
    """Print the figures for REPEATS and each number of samples."""
    repeats, *samples = map(int, arguments)
    rows = HORIZON - EXECUTED
    result: dict[str, Any] = {"rows": rows, "width": WIDTH, "dim": rows * WIDTH, "repeats": repeats}
    result["ms"] = {str(k): measure(k, repeats) for k in samples}
    print(json.dumps(result))


if __name__ == "__main__":
    main(sys.argv[1:])
