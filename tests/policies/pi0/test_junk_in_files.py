# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Whatever stands in a file of a pi0 checkpoint, it is accepted or refused by name, never a bare error."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lbm_policy_node.policies.checkpoint.errors import CheckpointError
from lbm_policy_node.policies.pi0.config import Pi0Config
from lbm_policy_node.policies.pi0.processors import read_pi0_processors

JUNK = (None, True, -1, 0, 1.5, float("nan"), "", "x", [], [None], ["x"], {}, {"x": 1}, [[]], 10**20)


def places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in nested lists and mappings."""
    found = [path] if path else []
    entries = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in entries:
        found += places(value, (*path, key))
    return found


def refused_or_accepted(read: Callable[[Any], Any], data: Any) -> int:
    """Put junk into every place; returns how often it was refused."""
    refused = 0
    for path in places(data):
        for junk in JUNK:
            changed = json.loads(json.dumps(data))
            target = changed
            for key in path[:-1]:
                target = target[key]
            target[path[-1]] = junk
            try:
                read(changed)
            except CheckpointError:
                refused += 1
    return refused


@pytest.mark.parametrize("kind", ["pi0", "pi05"])
def test_configuration(small: Any, kind: str) -> None:
    data = json.loads(json.dumps(small.config(kind).to_dict()))
    assert refused_or_accepted(Pi0Config.from_dict, data) > 400


@pytest.mark.parametrize("name", ["policy_preprocessor.json", "policy_postprocessor.json"])
def test_processors(checkpoint: Callable[..., Path], small: Any, name: str) -> None:
    directory = checkpoint(action_feature_names=("a", "b", "c", "gripper"))
    file = directory / name

    def read(data: Any) -> None:
        file.write_text(json.dumps(data))
        read_pi0_processors(directory, small.config())

    assert refused_or_accepted(read, json.loads(file.read_text())) > 100
