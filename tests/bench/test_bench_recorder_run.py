# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The benchmark of the recorder runs and counts; no figure is judged here, a loaded machine decides those."""

import math
import os

import pytest

from lbm_policy_node.bench.bench_recorder_run import cpu_seconds, measure_recorder


@pytest.mark.slow
def test_a_played_robot_is_recorded_and_counted(tmp_path):
    figures = measure_recorder(tmp_path, tmp_path / "episodes", seconds=2.0, transport_name="large_data")
    assert figures.sent >= 2 * 30 + 3 * 100, "two seconds at less than half the rate"
    assert 0 <= figures.missing < figures.sent
    assert figures.bytes_per_s > 1e6 and 0.0 < figures.cpu_share < 2.0
    assert math.isfinite(figures.hand_off_median_ms)
    assert "hand-off per image" in str(figures)
    (path,) = (tmp_path / "episodes").iterdir()
    assert (path / "metadata.yaml").is_file()


def test_processor_time_is_that_of_the_process():
    before_s = sum(os.times()[:2])
    assert before_s - 0.05 <= cpu_seconds(os.getpid()) <= sum(os.times()[:2]) + 0.05
