# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Names of topics, services and actions stand in ros/topics.py alone; the robot's own come from its spec."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.places import ROOT

NODES = ROOT / "lbm_policy_node" / "ros"
CONNECTS = {
    "create_publisher", "create_subscription", "create_service", "create_client", "count_publishers",
    "ActionServer", "ActionClient", "subscribe",
}  # fmt: skip


def names_written_out(source: str) -> list[str]:
    """Topic names in a source text: text given to what connects, and any text that begins like "/name"."""
    tree = ast.parse(source)
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    found = [ast.unparse(text) for call in ast.walk(tree) for text in _given_to_connect(call)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            begins_like_a_name = node.value[:1] == "/" and node.value[1:2].isalpha()
            found += [node.value] if begins_like_a_name else []
    return found


def _given_to_connect(node: ast.AST) -> Iterator[ast.expr]:
    if not isinstance(node, ast.Call):
        return
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name in CONNECTS:
        yield from filter(_is_text, [*node.args, *(keyword.value for keyword in node.keywords)])


def _is_text(node: ast.expr) -> bool:
    constant = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return constant or isinstance(node, ast.JoinedStr)


def _constants() -> dict[str, str]:
    tree = ast.parse((NODES / "topics.py").read_text())
    return {
        node.target.id: str(node.value.value)
        for node in tree.body
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.target, ast.Name)
        and isinstance(node.value, ast.Constant)
    }


@pytest.mark.parametrize(
    "path", sorted(set(NODES.rglob("*.py")) - {NODES / "topics.py"}), ids=lambda p: str(p.relative_to(NODES))
)
def test_no_node_writes_a_topic_name_out(path: Path):
    assert not names_written_out(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "source",
    [
        'node.create_publisher(Bool, "estop", qos.EVENT)',
        'subscribe(Bool, f"{name}/done", self._on, 10)',
        'ActionClient(self, RunPolicy, "run_policy")',
        'TOPIC = "/sim/reset"',
        'topic = f"/camera/{name}/image_raw"',
    ],
)
def test_a_name_is_found_however_it_is_written(source):
    assert names_written_out(source)


def test_each_name_stands_for_one_thing_and_is_used():
    constants = _constants()
    assert len(set(constants.values())) == len(constants) > 20
    everything = "".join(p.read_text(encoding="utf-8") for p in NODES.rglob("*.py"))
    assert [name for name in constants if not re.search(rf"\btopics\.{name}\b", everything)] == []


def test_each_name_says_what_flows_there():
    body = ast.parse((NODES / "topics.py").read_text()).body
    for node, following in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.AnnAssign):
            assert isinstance(following, ast.Expr), ast.unparse(node)
