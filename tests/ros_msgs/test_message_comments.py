# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Whoever reads a message definition learns the unit and the meaning of each field."""

import re

import pytest

from helpers.places import ROOT

MESSAGES = ROOT / "lbm_msgs"
DEFINITIONS = sorted(p for kind in ("msg", "srv", "action") for p in (MESSAGES / kind).iterdir())


@pytest.mark.parametrize("path", DEFINITIONS, ids=lambda p: p.name)
def test_every_field_has_a_comment(path):
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith(("#", "---"))]
    bare = [line for line in lines if "#" not in line and not re.match(r"uint16 OK=0$", line)]
    assert not bare


@pytest.mark.parametrize(
    "path", [p for p in DEFINITIONS if p.suffix in (".srv", ".action")], ids=lambda p: p.name
)
def test_every_result_has_an_error_code_and_text(path):
    result = path.read_text().split("\n---\n")[1]
    assert "uint16 error_code " in result
    assert "string error_msg " in result


def test_every_definition_is_built():
    listed = (MESSAGES / "CMakeLists.txt").read_text()
    assert not [p.name for p in DEFINITIONS if f"{p.parent.name}/{p.name}" not in listed]
