# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The benchmark runs and counts; no figure is judged here, because a loaded machine decides those."""

from pathlib import Path

import numpy as np
import pytest

from lbm_policy_node.bench import bench_run
from lbm_policy_node.bench.bench_run import (
    BenchError,
    interval_errors_ms,
    measure_latency,
    measure_takeover,
    measure_ticks,
)
from lbm_policy_node.graph.nodes import NodeProcess


@pytest.mark.slow
def test_policy_node_and_bare_rclpy_answer_the_same_observations(tmp_path: Path) -> None:
    result = measure_latency(tmp_path, frames=10, windows=2, transport_name="large_data")
    assert result["asked"] == 20
    for side in ("policy", "bare"):
        assert len(result["delays_ms"][side]) >= 10, f"{side} answered too little"
        assert min(result["delays_ms"][side]) > 0.0


@pytest.mark.slow
def test_executor_and_bare_timer_tick_by_turns(tmp_path: Path) -> None:
    result = measure_ticks(tmp_path, window_s=1.2, windows=1, transport_name="large_data")
    assert min(len(errors) for errors in result.values()) > 4, "about 70 ticks at 100 Hz, fewer if starved"
    assert set(result) == {"executor", "bare"}


@pytest.mark.slow
def test_each_press_is_followed_and_timed(tmp_path: Path) -> None:
    result = measure_takeover(tmp_path, presses=3, transport_name="large_data")
    assert len(result["delays_ms"]) == 3 and min(result["delays_ms"]) > 0.0 and result["pauses"] >= 0


def test_only_ticks_within_a_sides_own_windows_count_after_it_has_caught_up() -> None:
    stamps_s = np.concatenate([np.arange(0.0, 2.0, 0.01), [5.0, 5.7, 5.712]])
    errors = interval_errors_ms((stamps_s * 1e9).astype(np.int64).tolist(), [(0.0, 1.0), (5.0, 6.0)])
    assert len(errors) in (50, 51), "half of the first window, and one interval of the second"
    assert max(errors) == pytest.approx(2.0, abs=0.01)


@pytest.mark.slow
def test_process_that_dies_ends_the_benchmark_with_its_last_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    (tmp_path / "dying.py").write_text("import sys; print('no camera'); sys.exit(3)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    processes = [NodeProcess(name="dying", module="dying")]
    with pytest.raises(BenchError, match=r"exit code 3\n.*no camera"):
        bench_run.run_processes(processes, "default", bench_run.Results.next)
