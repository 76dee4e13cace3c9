# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The benchmark of the scores runs; no figure is judged here, because a loaded machine decides those."""

import json
from pathlib import Path

import numpy as np
from click.testing import CliRunner

from lbm_policy_node.bench import bench_monitor_run
from lbm_policy_node.cli.main import main
from lbm_policy_node.monitors.pair import make_pair
from lbm_policy_node.monitors.scores.registry import score_names

NAMES = {"pair", *score_names()}


def test_every_score_gets_a_line_and_a_figure_for_each_number_of_samples(tmp_path: Path) -> None:
    path = tmp_path / "bench.json"
    arguments = ["bench-monitor", "--repeats", "3", "--samples", "8", "--samples", "32", "--json", str(path)]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    written = json.loads(path.read_text())
    assert set(written["ms"]) == {"8", "32"}
    for figures in written["ms"].values():
        assert set(figures) == NAMES
        assert all(0.0 < f["median"] <= f["p99"] for f in figures.values())
    lines = result.output.splitlines()
    assert {line.split()[0] for line in lines[3:-1]} == NAMES
    assert "energy_ood, K = 32: median" in lines[-1]


def test_target_is_not_judged_without_its_number_of_samples() -> None:
    result = CliRunner().invoke(main, ["bench-monitor", "--repeats", "1", "--samples", "8"])
    assert result.exit_code == 0, result.output
    assert "target" not in result.output


def test_measured_pairs_have_the_size_that_is_said() -> None:
    first, second = (bench_monitor_run.chunk(index, 8) for index in (1, 2))
    pair = make_pair(first, second, bench_monitor_run.COLUMNS, bench_monitor_run.SCALE)
    assert (pair.dim, pair.n_current) == (32, 8)
    assert not np.array_equal(first.samples, second.samples)
