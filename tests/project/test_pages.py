# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""README and docs/ name what exists: files, links, commands, layers; and the snippet of README runs."""

import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.places import ROOT
from lbm_policy_node.cli.main import COMMANDS

README = ROOT / "README.md"
PAGES = [README, ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
FOLDERS = r"(?:lbm_policy_node|lbm_msgs|tests|scripts|config|docs|launch|checkpoints|requirements)"
LAYERS = runpy.run_path(str(Path(__file__).with_name("test_layers.py")))["LAYERS"]


@pytest.fixture(params=PAGES, ids=lambda page: page.name, name="page")
def _page(request: pytest.FixtureRequest) -> Path:
    return request.param


def fenced(text: str, language: str = "") -> list[str]:
    """The code blocks of a page that are marked with a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_readme_is_short_and_narrow() -> None:
    lines = README.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 120
    assert not [line for line in lines if len(line) > 100]


def test_the_snippet_of_readme_prints_what_it_says() -> None:
    (snippet,) = fenced(README.read_text(encoding="utf-8"), "python")
    said = re.findall(r"print\(.*\)  # (.*)$", snippet, flags=re.MULTILINE)
    done = subprocess.run(
        [sys.executable, "-c", snippet], cwd=ROOT, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    assert said and done.stdout.splitlines() == said


def test_the_index_names_each_page() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    assert not [page.name for page in (ROOT / "docs").glob("*.md") if page.name not in index]


def test_each_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        name, _, anchor = target.partition("#")
        if not re.match(r"\w+:", name):
            file = page.parent / name if name else page
            assert file.exists(), f"{page.name} links to {target}"
            assert not anchor or anchor in anchors(file), f"{page.name} links to {target}"


def test_each_command_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = set(re.findall(r"(?:^|`)lbm ([a-z][\w-]*)", text, flags=re.MULTILINE))
    assert named <= set(COMMANDS), page.name


def test_each_make_target_exists(page: Path) -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = re.findall(r"(?:^|`)make ([a-z]+)", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert set(named) <= targets, page.name


def test_each_file_exists(page: Path) -> None:
    """Paths of files; those of docs/architecture.md are below lbm_policy_node, as it says."""
    text = page.read_text(encoding="utf-8")
    named = re.findall(rf"(?<![\w./-])({FOLDERS}/[\w./-]*\.\w+|{FOLDERS}/[\w./-]*/)(?![\w*<{{])", text)
    layers = "|".join(sorted(filter(None, LAYERS)))
    ours = re.findall(rf"`((?:{layers})/[\w./-]+\.py)`", text)
    files = [ROOT / name for name in named] + [ROOT / "lbm_policy_node" / name for name in ours]
    assert not [str(file.relative_to(ROOT)) for file in files if not file.exists()], page.name


def layer_rows() -> dict[str, tuple[set[str], set[str]]]:
    """The table of layers in docs/architecture.md: our folders and other packages that each may import."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)/` \|[^|]*\|([^|]*)\|([^|]*)\|$", text, flags=re.MULTILINE)
    return {name: (set(re.findall(r"\w+", own)), set(re.findall(r"\w+", other))) for name, own, other in rows}


def test_the_page_has_the_layers_that_the_test_enforces() -> None:
    enforced = {name: layer.own - {name, ""} for name, layer in LAYERS.items() if name}
    assert {name: own for name, (own, _) in layer_rows().items()} == enforced


@pytest.mark.parametrize("name", sorted(filter(None, LAYERS)))
def test_the_page_allows_no_package_that_the_test_refuses(name: str) -> None:
    assert layer_rows()[name][1] <= LAYERS[name].foreign
