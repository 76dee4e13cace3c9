# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What the source tree imports, read without importing it."""

import ast
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from helpers.places import ROOT

PACKAGE = "lbm_policy_node"


@dataclass(frozen=True)
class SourceFile:
    """One Python file of the package and the modules it names in import statements, lazy ones included."""

    path: Path
    module: str
    imports: frozenset[str]

    @property
    def layer(self) -> str:
        """The folder below lbm_policy_node, or "" for a file directly in it."""
        parts = self.path.relative_to(ROOT / PACKAGE).parts
        return parts[0] if len(parts) > 1 else ""

    def layers_used(self) -> set[str]:
        """Layers of our own package that this file imports, its own layer included."""
        names = [name.split(".") for name in self.imports if name.split(".")[0] == PACKAGE]
        folders = {p.name for p in (ROOT / PACKAGE).iterdir() if p.is_dir()}
        return {name[1] if len(name) > 1 and name[1] in folders else "" for name in names}

    def foreign(self) -> set[str]:
        """Top-level names of other people's packages, the standard library left out."""
        return {name.split(".")[0] for name in self.imports} - {PACKAGE} - set(sys.stdlib_module_names)


def imports_in(source: str, package: str) -> frozenset[str]:
    """Modules named by the import statements of a source text; `package` resolves relative ones.

    `from a.b import c` counts as a.b and a.b.c, because c may be a module.
    """
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            found.update({base, *(f"{base}.{alias.name}" for alias in node.names)})
    return frozenset(found)


def read(path: Path) -> SourceFile:
    parts = path.relative_to(ROOT).with_suffix("").parts
    package = ".".join(parts[:-1])
    module = package if parts[-1] == "__init__" else ".".join(parts)
    return SourceFile(path, module, imports_in(path.read_text(), package))


@pytest.fixture(scope="session", name="imports_in")
def _imports_in() -> Callable[[str, str], frozenset[str]]:
    return imports_in


@pytest.fixture(scope="session")
def sources() -> dict[str, SourceFile]:
    """Every file of the package by its module name."""
    files = [read(path) for path in sorted((ROOT / PACKAGE).rglob("*.py"))]
    return {file.module: file for file in files}


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT
