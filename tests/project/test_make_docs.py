# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The generated pages of docs/ say what the code says."""

import runpy
import subprocess
import sys
from pathlib import Path

from helpers.places import ROOT

SCRIPT = ROOT / "scripts" / "make_docs.py"


def test_no_generated_page_is_stale() -> None:
    done = subprocess.run([sys.executable, SCRIPT, "--check"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_page_that_is_missing_or_differs_is_stale(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    stale = runpy.run_path(str(SCRIPT))["stale"]
    (tmp_path / "right.md").write_text("a\n")
    (tmp_path / "edited.md").write_text("a, by hand\n")
    pages = {name: lambda: "a\n" for name in ("right.md", "edited.md", "missing.md")}
    assert stale(tmp_path, pages) == {tmp_path / "edited.md": "a\n", tmp_path / "missing.md": "a\n"}
