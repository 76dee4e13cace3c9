# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A dataset grows run by run; what does not fit is refused, and a crash at any moment costs nothing."""

import json
import multiprocessing
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from lbm_policy_node.data.datasets.dataset_contents import DatasetContents, DatasetError
from lbm_policy_node.data.datasets.dataset_reader import read_dataset
from lbm_policy_node.data.datasets.dataset_writer import DatasetWriter
from lbm_policy_node.data.datasets.features import Features

FRONT = "observation.images.front"
FEATURES = Features(
    vectors={"observation.state": ("x", "y"), "action": ("x", "y", "g"), "width": ("w",)},
    cameras={FRONT: (32, 48)},
    scalars={"control_mode": "int64", "flag": "bool", "score": "float32", "stamp_ns": "int64"},
)
LENGTHS = (5, 8, 3, 6)
STAMP = 1_767_323_045_123_456_789


def made_episode(number):
    rng = np.random.default_rng(number)
    length = LENGTHS[number]
    columns = {key: rng.normal(size=(length, len(names))) for key, names in FEATURES.vectors.items()}
    columns |= {
        "control_mode": rng.integers(-1, 2, length),
        "flag": rng.random(length) < 0.5,
        "score": rng.random(length),
        "stamp_ns": STAMP + np.arange(length) * 50_000_000,
    }
    level = np.linspace(20 + 50 * number, 60 + 50 * number, length).astype(np.uint8)
    images = {FRONT: np.broadcast_to(level[:, None, None, None], (length, 32, 48, 3)).copy()}
    return columns, images, f"task {number % 2}"


def write(root, numbers, **options):
    with DatasetWriter(root, FEATURES, fps=20, robot_type="arm", append=True, **options) as writer:
        for number in numbers:
            writer.add_episode(*made_episode(number))


def everything(root):
    """All rows of the tables in use, and what each frame shows."""
    contents, data = DatasetContents.read(root), read_dataset(root)
    rows = [row for path in contents.data_files for row in pq.read_table(path).to_pylist()]
    return rows, data.frames(FRONT).mean(axis=(1, 2, 3)), data.stats


def test_two_runs_give_the_same_dataset_as_one(tmp_path):
    write(tmp_path / "one", range(4))
    write(tmp_path / "two", [0, 1])
    write(tmp_path / "two", [2, 3])
    (rows, shown, stats), (rows2, shown2, stats2) = (everything(tmp_path / name) for name in ("one", "two"))
    assert rows == rows2
    np.testing.assert_allclose(shown, shown2, atol=0.5)
    assert stats.keys() == stats2.keys()
    for key, entry in stats.items():
        for name, value in entry.items():
            np.testing.assert_allclose(value, stats2[key][name], rtol=1e-9, err_msg=f"{key} {name}")
    assert read_dataset(tmp_path / "two").instructions == ("task 0", "task 1")
    info = json.loads((tmp_path / "two/meta/info.json").read_text())
    assert (info["total_episodes"], info["total_frames"], info["splits"]) == (4, 22, {"train": "0:4"})


def test_a_later_run_changes_no_file_in_use(tmp_path):
    write(tmp_path / "set", [0, 1])
    before = {path: path.read_bytes() for path in tmp_path.rglob("file-*")}
    write(tmp_path / "set", [2])
    assert {path: path.read_bytes() for path in before} == before
    rows = DatasetContents.read(tmp_path / "set").episodes
    for prefix in ("data", f"videos/{FRONT}", "meta/episodes"):
        assert [row[f"{prefix}/file_index"] for row in rows] == [0, 0, 1]
    assert rows[2][f"videos/{FRONT}/from_timestamp"] == 0.0
    assert not (tmp_path / "set/.staging").exists()


def test_columns_of_one_number_have_their_type(tmp_path):
    write(tmp_path / "set", [0])
    file = pq.ParquetFile(tmp_path / "set/data/chunk-000/file-000.parquet")
    types = {field.name: str(field.type) for field in file.schema_arrow}
    assert {key: types[key] for key in ("width", "control_mode", "flag", "score", "stamp_ns")} == {
        "width": "float",
        "control_mode": "int64",
        "flag": "bool",
        "score": "float",
        "stamp_ns": "int64",
    }
    hub = json.loads(file.schema_arrow.metadata[b"huggingface"])["info"]["features"]
    assert hub["flag"] == {"dtype": "bool", "_type": "Value"}
    assert file.read()["stamp_ns"].to_pylist()[1] == STAMP + 50_000_000  # no float on the way
    info = json.loads((tmp_path / "set/meta/info.json").read_text())["features"]
    assert info["flag"] == {"dtype": "bool", "shape": [1], "names": None}
    data = read_dataset(tmp_path / "set")
    assert data.features == FEATURES
    np.testing.assert_allclose(data.vectors["width"], made_episode(0)[0]["width"], rtol=1e-6)
    assert data.control_modes is not None
    np.testing.assert_array_equal(data.control_modes, made_episode(0)[0]["control_mode"])


def test_new_files_begin_beyond_the_limits(tmp_path):
    write(tmp_path / "set", range(3), data_file_mb=1e-6, video_file_mb=1e-6)
    write(tmp_path / "set", [3])  # the limits are the dataset's own
    rows = DatasetContents.read(tmp_path / "set").episodes
    assert [row["data/file_index"] for row in rows] == [0, 1, 2, 3]
    assert [row[f"videos/{FRONT}/file_index"] for row in rows] == [0, 1, 2, 3]
    shown = read_dataset(tmp_path / "set").frames(FRONT).mean(axis=(1, 2, 3))
    wanted = np.concatenate([made_episode(i)[1][FRONT].mean(axis=(1, 2, 3)) for i in range(4)])
    np.testing.assert_allclose(shown, wanted, atol=3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fps": 30}, "fps: 20 there, 30 here"),
        ({"robot_type": "leg"}, "robot_type: arm there, leg here"),
        ({"features": replace(FEATURES, cameras={FRONT: (32, 64)})}, r"shape: \[32, 48, 3\] there"),
        ({"features": replace(FEATURES, cameras={})}, f"'{FRONT}' is only there"),
        ({"features": replace(FEATURES, scalars={**FEATURES.scalars, "x": "bool"})}, "'x' is only here"),
        ({"features": replace(FEATURES, scalars={**FEATURES.scalars, "flag": "int64"})}, "dtype: bool there"),
        ({"features": replace(FEATURES, vectors={**FEATURES.vectors, "width": ("h",)})}, "names.*'h'"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(tmp_path, change, message):
    write(tmp_path / "set", [0])
    options = {"features": FEATURES, "fps": 20, "robot_type": "arm"} | change
    with pytest.raises(DatasetError, match=message):
        DatasetWriter(tmp_path / "set", append=True, **options)


def test_a_folder_with_other_things_is_refused(tmp_path):
    (tmp_path / "letters.txt").write_text("dear")
    with pytest.raises(FileExistsError, match=r"no dataset.*letters\.txt"):
        DatasetWriter(tmp_path, FEATURES, fps=20, robot_type="arm", append=True)


def test_a_second_writer_is_refused_while_one_is_at_work(tmp_path):
    with (
        DatasetWriter(tmp_path / "set", FEATURES, fps=20, robot_type="arm", append=True),
        pytest.raises(FileExistsError, match="another process"),
    ):
        DatasetWriter(tmp_path / "set", FEATURES, fps=20, robot_type="arm", append=True)


def test_numbers_that_are_not_finite_are_refused(tmp_path):
    columns, images, task = made_episode(0)
    columns["score"][2] = np.nan
    with (
        DatasetWriter(tmp_path / "set", FEATURES, fps=20, robot_type="arm") as writer,
        pytest.raises(ValueError, match=r"finite.*'score'"),
    ):
        writer.add_episode(columns, images, task)


def _die_at(root: Path, operation: int) -> None:
    """Append two episodes, and lose power at the n-th time that a file gets its final name."""
    counted, real = 0, Path.replace

    def replace_or_die(self, target):
        nonlocal counted
        if counted == operation:
            os._exit(9)
        counted += 1
        return real(self, target)

    Path.replace = replace_or_die
    write(root, [2, 3])


@pytest.mark.slow
def test_a_crash_at_any_moment_leaves_the_dataset_as_it_was(tmp_path):
    write(tmp_path / "whole", [0, 1])
    before = everything(tmp_path / "whole")
    codes = []
    for operation in range(12):
        root = tmp_path / f"set{operation}"
        write(root, [0, 1])
        process = multiprocessing.get_context("fork").Process(target=_die_at, args=(root, operation))
        process.start()
        process.join()
        codes.append(process.exitcode)
        if process.exitcode == 0:
            break
        rows, shown, stats = everything(root)
        assert rows == before[0] and len(shown) == len(before[1])
        np.testing.assert_allclose(stats["action"]["mean"], before[2]["action"]["mean"], rtol=1e-12)
        write(root, [2, 3])
        assert [row["dataset_to_index"] for row in DatasetContents.read(root).episodes] == [5, 13, 16, 22]
        assert not [path for path in root.rglob("*.partial")]
        assert (
            sorted(path.name for path in root.rglob("file-*.parquet"))
            == ["file-000.parquet"] * 2 + ["file-001.parquet"] * 2
        )
    assert codes[-1] == 0 and len(codes) >= 6  # every file's moment was met
