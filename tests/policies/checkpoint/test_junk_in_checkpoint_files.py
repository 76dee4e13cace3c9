# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Whatever a checkpoint's JSON files hold, loading works or raises CheckpointError, never anything else."""

import copy
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from lbm_policy_node.policies.checkpoint.errors import CheckpointError
from lbm_policy_node.policies.checkpoint.extensions import Extensions, RelativePose
from lbm_policy_node.policies.checkpoint.processor_files import read_processors
from lbm_policy_node.policies.checkpoint.sidecar import Sidecar, read_sidecar, write_sidecar
from lbm_policy_node.policies.multitask_dit.clip_config import ClipTextConfig, ClipVisionConfig
from lbm_policy_node.policies.multitask_dit.config import MultiTaskDiTConfig
from lbm_policy_node.policies.weightless import WeightlessConfig

JUNK: tuple[Any, ...] = (None, True, -1, 0, 5, 2.5, float("nan"), "x", "", [], [1], ["a", None], {}, {"a": 1})
Path_ = tuple[Any, ...]


def places(data: Any, path: Path_ = ()) -> Iterator[Path_]:
    """The path of every value in nested JSON, the root left out."""
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        yield (*path, key)
        yield from places(value, (*path, key))


def spoiled(data: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The data with one value replaced, each place and each junk in turn, and with one value removed."""
    for *parents, last in places(data):
        for junk in (*JUNK, ...):
            other = copy.deepcopy(data)
            inner = other
            for key in parents:
                inner = inner[key]
            if junk is ...:
                del inner[last]
            else:
                inner[last] = junk
            yield other


def accepts_or_refuses(read: Callable[[dict[str, Any]], Any], data: dict[str, Any]) -> int:
    """Try every spoiled form; the number of refusals."""
    refused = 0
    for other in spoiled(data):
        try:
            read(other)
        except CheckpointError as error:
            assert str(error)
            refused += 1
    return refused


def test_configuration(small: Any) -> None:
    extensions = Extensions(relative_poses=(RelativePose(0, "position", 0, "position"),))
    data = json.loads(json.dumps(small.config(lbm_extensions=extensions, image_crop_shape=(8, 8)).to_dict()))
    assert accepts_or_refuses(MultiTaskDiTConfig.from_dict, data) > 500


def test_weightless_configuration(small: Any) -> None:
    config = small.config()
    plain = WeightlessConfig(config.input_features, config.output_features, (0, 1, 2))
    data = json.loads(json.dumps(plain.to_dict()))
    assert accepts_or_refuses(WeightlessConfig.from_dict, data) > 150


@pytest.mark.parametrize("name", ["policy_preprocessor.json", "policy_postprocessor.json"])
def test_processors(small_checkpoint: Callable[..., Path], name: str) -> None:
    directory = small_checkpoint()
    file = directory / name

    def read(data: dict[str, Any]) -> None:
        file.write_text(json.dumps(data))
        read_processors(directory)

    assert accepts_or_refuses(read, json.loads(file.read_text())) > 50


def test_sidecar(tmp_path: Path) -> None:
    names = ("a", "b")
    write_sidecar(tmp_path, Sidecar(0.1, names, names, {"vision": {}, "text": {}}, {"by": "test"}))
    file = tmp_path / "lbm_policy.json"

    def read(data: dict[str, Any]) -> None:
        file.write_text(json.dumps(data))
        read_sidecar(tmp_path).check_widths(tmp_path, 2, 2)

    assert accepts_or_refuses(read, json.loads(file.read_text())) > 30


@pytest.mark.parametrize("kind", [ClipVisionConfig, ClipTextConfig])
def test_towers(kind: type[ClipVisionConfig] | type[ClipTextConfig]) -> None:
    data = dict(vars(kind()))
    assert accepts_or_refuses(kind.from_dict, data) > 60


@pytest.mark.parametrize("content", ["", "[]", "3", "null", "{", '{"type": []}', '{"type": {}}', "\x00"])
def test_files_that_are_no_object(tmp_path: Path, content: str) -> None:
    (tmp_path / "lbm_policy.json").write_text(content)
    with suppress(CheckpointError):
        read_sidecar(tmp_path)
        raise AssertionError("accepted")
