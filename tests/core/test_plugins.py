# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Kinds of other installed packages beside our own."""

from pathlib import Path

import pytest

from helpers.outside_package import install
from lbm_policy_node.core.plugins import Kinds, PluginError, import_attribute

GROUP = "lbm_policy.test_kinds"
OWN = {"own": "fractions:Fraction", "broken": "no_such_module:Thing"}
KINDS: Kinds[type] = Kinds(GROUP, OWN, type)


def offer(monkeypatch: pytest.MonkeyPatch, folder: Path, name: str, source: str, **kinds: str) -> None:
    entries = {kind: f"{name}.kinds:{attribute}" for kind, attribute in kinds.items()}
    install(monkeypatch, folder, name, {"kinds": source}, {GROUP: entries})


def test_an_installed_kind_is_listed_after_our_own_and_imported_by_its_name(monkeypatch, tmp_path):
    offer(monkeypatch, tmp_path, "outside_good", "class Thing: pass\n", zebra="Thing", apple="Thing")
    assert KINDS.names() == ("own", "broken", "apple", "zebra")
    assert KINDS.get("zebra").__module__ == "outside_good.kinds"
    assert KINDS.get("own").__name__ == "Fraction"


def test_a_name_of_ours_is_refused_and_the_other_names_still_work(monkeypatch, tmp_path):
    offer(monkeypatch, tmp_path, "outside_thief", "class Thing: pass\n", own="Thing", fine="Thing")
    with pytest.raises(PluginError, match=r"'own' of .*outside_thief\.kinds:Thing.* must choose another"):
        KINDS.get("own")
    assert KINDS.names() == ("own", "broken", "fine")
    assert KINDS.get("fine").__name__ == "Thing"


def test_two_packages_with_one_name_are_refused_with_both(monkeypatch, tmp_path):
    for name in ("outside_first", "outside_second"):
        offer(monkeypatch, tmp_path, name, "class Thing: pass\n", same="Thing")
    with pytest.raises(PluginError, match=r"two packages offer 'same'.*outside_\w+.* and outside_\w+"):
        KINDS.names()


@pytest.mark.parametrize(
    ("package", "source", "why"),
    [
        ("outside_syntax", "def f(:\n", "SyntaxError"),
        ("outside_raises", "raise RuntimeError('no licence')\n", "RuntimeError: no licence"),
        ("outside_missing", "import no_such_library\n", "No module named 'no_such_library'"),
        ("outside_other", "Something = 3\n", "AttributeError"),
        ("outside_value", "Thing = 3\n", "is a int; expected a type"),
    ],
)
def test_a_broken_package_gives_one_line_that_names_it(monkeypatch, tmp_path, package, source, why):
    offer(monkeypatch, tmp_path, package, source, bad="Thing")
    with pytest.raises(PluginError, match=why) as refused:
        KINDS.get("bad")
    assert f"{package}.kinds" in str(refused.value) and "\n" not in str(refused.value)


def test_a_kind_of_ours_that_cannot_be_imported_says_what_is_missing():
    with pytest.raises(PluginError, match=r"'broken' of .*No module named 'no_such_module'"):
        KINDS.get("broken")
    with pytest.raises(PluginError, match=r"fractions:Nothing cannot be imported"):
        import_attribute("fractions:Nothing")
