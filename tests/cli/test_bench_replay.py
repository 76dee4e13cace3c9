# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The benchmark of the replay runs and is right; no figure is judged here: a loaded machine decides those."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from lbm_policy_node.cli.main import main


@pytest.mark.slow
def test_each_size_gets_a_line_and_a_figure(tmp_path: Path) -> None:
    path = tmp_path / "bench.json"
    result = CliRunner().invoke(
        main, ["bench-replay", "--seconds", "1", "--repeats", "1", "--json", str(path)]
    )
    assert result.exit_code == 0, result.output
    found = json.loads(path.read_text())
    assert [r["size"] for r in found["results"]] == ["128x128 at 20 Hz", "640x480 at 30 Hz"]
    assert all(r["speed_min"] > 0.0 and r["chunks"] == 3 for r in found["results"])
    assert "target >= 20 times real time" in result.output
