# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Installed packages of somebody else, which add kinds to ours by entry points."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

import pytest


def install(
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    name: str,
    modules: Mapping[str, str],
    kinds: Mapping[str, Mapping[str, str]],
) -> None:
    """Install a package for one test, here and in the processes that the test starts.

    Args:
        monkeypatch: Undoes it.
        folder: Becomes a folder of installed packages; may hold several.
        name: Of the package; each test needs its own, because Python keeps what it has imported.
        modules: Name of each module to its source.
        kinds: Entry points: group to name to "module:attribute".
    """
    package, metadata = folder / name, folder / f"{name}-1.0.dist-info"
    package.mkdir(parents=True)
    metadata.mkdir()
    (package / "__init__.py").write_text("")
    for module, source in modules.items():
        (package / f"{module}.py").write_text(dedent(source))
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = [
        line
        for group, entries in kinds.items()
        for line in (f"[{group}]", *(f"{key} = {value}" for key, value in entries.items()))
    ]
    (metadata / "entry_points.txt").write_text("\n".join(lines) + "\n")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTHONPATH", f"{folder}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    importlib.invalidate_caches()
