#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Write the pages of docs/ that are generated from the code: `make docs`.

A page is one function without arguments in scripts/doc_pages that returns the page's text. `--check` writes
nothing and fails when a page differs from what the code says.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from doc_pages import parameters, robot_spec

ROOT = Path(__file__).resolve().parents[1]
PAGES: dict[str, Callable[[], str]] = {
    "docs/parameters.md": parameters.page,
    "docs/robot-spec.md": robot_spec.page,
}
"""Path of each generated page in the repository, and what writes it."""


def stale(root: Path, pages: Mapping[str, Callable[[], str]]) -> dict[Path, str]:
    """Return the pages that are missing or differ below a folder, each with the text it should have."""
    wanted = {root / name: write() for name, write in pages.items()}
    return {
        path: text
        for path, text in wanted.items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    }


def main() -> int:
    """Write the pages, or check them; the exit code is 1 when a checked page is stale."""
    parser = argparse.ArgumentParser(description="Write the generated pages of docs/.")
    parser.add_argument("--check", action="store_true", help="Write nothing; fail when a page is stale.")
    check = parser.parse_args().check
    pages = stale(ROOT, PAGES)
    for path, text in pages.items():
        if not check:
            path.write_text(text, encoding="utf-8")
        print(f"{path.relative_to(ROOT)} {'is stale: run `make docs`' if check else 'written'}")
    return 1 if check and pages else 0


if __name__ == "__main__":
    sys.exit(main())
