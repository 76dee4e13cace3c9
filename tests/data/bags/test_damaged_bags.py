# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Whatever bytes are lost or changed: only the named errors, no invented message, and a repair that holds."""

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mcap.writer import CompressionType, IndexType
from rosbags.rosbag2 import StoragePlugin

from helpers.foreign_bags import Rewrite, convert, raw, small_bag, split
from lbm_policy_node.data.bags.bag_errors import BagError, RepairableBagError
from lbm_policy_node.data.bags.repair import repair

KINDS = {
    "as recorded": lambda path: None,
    "zstd": Rewrite(compression=CompressionType.ZSTD),
    "lz4": Rewrite(compression=CompressionType.LZ4),
    "no chunks": Rewrite(use_chunking=False, index=IndexType.NONE, use_statistics=False),
    "split": split,
    "sqlite3": lambda path: convert(path, StoragePlugin.SQLITE3),
}


@pytest.fixture(scope="module", params=KINDS.values(), ids=list(KINDS))
def original(request, tmp_path_factory) -> Path:
    path = small_bag(tmp_path_factory.mktemp("bags") / "e")
    request.param(path)
    return path


@st.composite
def damages(draw) -> tuple[str, float, float, int]:
    """Kind, which file, where in it (0 to 1), and how much."""
    kind = draw(st.sampled_from(["cut", "flip", "drop", "zeros"]))
    return kind, draw(st.floats(0, 0.999)), draw(st.floats(0, 0.999)), draw(st.integers(1, 300))


def damage(path: Path, kind: str, which: float, where: float, n: int) -> None:
    files = sorted(path.iterdir())
    file = files[int(which * len(files))]
    data = bytearray(file.read_bytes())
    at = int(where * len(data))
    if kind == "cut":
        del data[at:]
    elif kind == "drop":
        del data[at : at + n]
    elif kind == "zeros":
        data[at : at + n] = bytes(len(data[at : at + n]))
    elif data:
        data[at] ^= n % 255 + 1
    file.write_bytes(data)


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(damages=st.lists(damages(), min_size=1, max_size=3))
def test_a_damaged_bag_is_read_repaired_or_refused(original, tmp_path, damages):
    path = tmp_path / "e"
    shutil.rmtree(path, ignore_errors=True)
    shutil.copytree(original, path)
    for one in damages:
        damage(path, *one)
    try:
        raw(path)
    except RepairableBagError as error:
        assert "\n" not in str(error)
    except BagError as error:
        assert "\n" not in str(error) and not str(error).endswith(f"run: lbm episodes repair '{path}'")
    try:
        report = repair(path)
    except BagError as error:
        assert "\n" not in str(error)
        return
    after = raw(path)
    assert len(after) == report.n_messages <= 40
    assert not repair(path).changed
