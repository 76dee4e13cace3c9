# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The benchmark of listening runs and counts; no figure is judged here, a loaded machine decides those."""

import os

import pytest

from lbm_policy_node.bench.bench_observe_run import COMPRESSED, RAW, cpu_seconds, measure_observe, table


@pytest.mark.slow
@pytest.mark.parametrize("cameras", [RAW, COMPRESSED])
def test_a_policy_node_listens_and_runs(tmp_path, cameras):
    figures = measure_observe(tmp_path, cameras, seconds=2.0, transport_name="large_data")
    assert figures.chunks_hz > 0.5 and figures.images_hz > 5.0
    for share in (figures.idle, figures.running):
        assert 0.0 < share.thread <= share.process + 0.02, "within two clock ticks of the system"
    assert cameras in table([figures]) and "images/s" in table([figures])


def test_processor_time_of_the_first_thread_is_part_of_the_process():
    before_s = sum(os.times()[:2])
    process, thread = cpu_seconds(os.getpid())
    assert before_s - 0.05 <= process <= sum(os.times()[:2]) + 0.05
    assert 0.0 < thread <= process + 0.02
