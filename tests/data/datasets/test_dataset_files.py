# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The files of a LeRobotDataset v3, column by column, and what comes back when they are read."""

import json
import os
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from lbm_policy_node.data.datasets.dataset_reader import DatasetError, read_dataset
from lbm_policy_node.data.datasets.dataset_writer import DatasetWriter
from lbm_policy_node.data.datasets.features import Features
from lbm_policy_node.data.datasets.video import VideoWriter, read_frames

FRONT = "observation.images.front"
FEATURES = Features(
    vectors={"observation.state": ("x", "y"), "action": ("x", "y", "g")}, cameras={FRONT: (32, 48)}
)
LENGTHS = (5, 8, 3)


def made_episode(number):
    rng = np.random.default_rng(number)
    length = LENGTHS[number]
    vectors = {
        "observation.state": rng.normal(size=(length, 2)).astype(np.float32),
        "action": rng.normal(size=(length, 3)).astype(np.float32),
    }
    level = np.linspace(20 + 60 * number, 60 + 60 * number, length).astype(np.uint8)
    images = {FRONT: np.broadcast_to(level[:, None, None, None], (length, 32, 48, 3)).copy()}
    return vectors, images, "open" if number != 1 else "close"


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("data") / "set"
    with DatasetWriter(root, FEATURES, fps=20, robot_type="arm") as writer:
        for number in range(len(LENGTHS)):
            writer.add_episode(*made_episode(number))
    return root


def test_info_names_every_feature_as_the_format_does(root):
    info = json.loads((root / "meta/info.json").read_text())
    assert info["codebase_version"] == "v3.0"
    assert (info["total_episodes"], info["total_frames"], info["total_tasks"], info["fps"]) == (3, 16, 2, 20)
    assert info["splits"] == {"train": "0:3"}
    assert info["features"]["action"] == {"dtype": "float32", "shape": [3], "names": ["x", "y", "g"]}
    camera = info["features"][FRONT]
    assert (camera["dtype"], camera["shape"]) == ("video", [32, 48, 3])
    assert camera["names"] == ["height", "width", "channels"]
    assert (camera["info"]["video.codec"], camera["info"]["video.pix_fmt"]) == ("h264", "yuv420p")
    assert info["features"]["timestamp"] == {"dtype": "float32", "shape": [1], "names": None}


def test_data_table_has_one_row_group_per_episode_and_typed_columns(root):
    file = pq.ParquetFile(root / "data/chunk-000/file-000.parquet")
    assert [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)] == list(LENGTHS)
    types = {field.name: str(field.type) for field in file.schema_arrow}
    assert types == {
        "observation.state": "fixed_size_list<element: float>[2]",
        "action": "fixed_size_list<element: float>[3]",
        "timestamp": "float",
        "frame_index": "int64",
        "episode_index": "int64",
        "index": "int64",
        "task_index": "int64",
    }
    assert b"huggingface" in file.schema_arrow.metadata
    table = file.read()
    assert table["index"].to_pylist() == list(range(16))
    assert table["frame_index"].to_pylist() == [*range(5), *range(8), *range(3)]
    assert table["task_index"].to_pylist() == [0] * 5 + [1] * 8 + [0] * 3
    np.testing.assert_allclose(table["timestamp"].to_numpy(), np.array(table["frame_index"]) / 20, atol=1e-6)


def test_tasks_are_indexed_by_their_text(root):
    table = pq.read_table(root / "meta/tasks.parquet")
    assert table.to_pylist() == [{"task_index": 0, "task": "open"}, {"task_index": 1, "task": "close"}]
    assert json.loads(table.schema.metadata[b"pandas"])["index_columns"] == ["task"]


def test_episode_rows_point_into_tables_and_videos(root):
    rows = pq.read_table(root / "meta/episodes/chunk-000/file-000.parquet").to_pylist()
    assert [(r["dataset_from_index"], r["dataset_to_index"]) for r in rows] == [(0, 5), (5, 13), (13, 16)]
    assert rows[1]["tasks"] == ["close"]
    assert rows[1][f"videos/{FRONT}/from_timestamp"] == pytest.approx(5 / 20)
    assert rows[1][f"videos/{FRONT}/to_timestamp"] == pytest.approx(13 / 20)
    vectors, _, _ = made_episode(1)
    np.testing.assert_allclose(rows[1]["stats/action/max"], vectors["action"].max(0), rtol=1e-6)
    assert np.shape(rows[1][f"stats/{FRONT}/mean"]) == (3, 1, 1)


def test_total_statistics_equal_those_of_all_steps_together(root):
    stats = json.loads((root / "meta/stats.json").read_text())
    actions = np.concatenate([made_episode(i)[0]["action"] for i in range(3)]).astype(np.float64)
    for name, value in (("mean", actions.mean(0)), ("std", actions.std(0)), ("min", actions.min(0))):
        np.testing.assert_allclose(stats["action"][name], value, rtol=1e-6, atol=1e-9)
    assert stats["action"]["count"] == [16]
    assert set(stats["action"]) == {"min", "max", "mean", "std", "count", "q01", "q10", "q50", "q90", "q99"}


def test_reading_returns_the_same_values_and_nearly_the_same_pictures(root):
    data = read_dataset(root)
    assert len(data) == 16
    assert [data.instructions[i] for i in data.instruction_index[[0, 5, 13]]] == ["open", "close", "open"]
    assert data.starts[[0, 7, 15]].tolist() == [0, 5, 13]
    assert data.ends[[0, 7, 15]].tolist() == [5, 13, 16]
    for key in FEATURES.vectors:
        wanted = np.concatenate([made_episode(i)[0][key] for i in range(3)])
        np.testing.assert_array_equal(data.vectors[key], wanted)
    frames = data.frames(FRONT)
    wanted = np.concatenate([made_episode(i)[1][FRONT] for i in range(3)])
    assert frames.dtype == np.uint8
    assert np.abs(frames.astype(int) - wanted).max() <= 4


def test_encoding_makes_no_thread_a_real_time_one(tmp_path):
    """Some encoders do that to a caller that is root, which starves the machine.

    Mesa's threads, which a renderer of another test leaves behind, are SCHED_BATCH: that is harmless.
    """
    with VideoWriter(tmp_path / "a.mp4", height=64, width=64, fps=20) as video:
        video.append(np.zeros((8, 64, 64, 3), np.uint8))
    threads = [int(path.name) for path in Path("/proc/self/task").iterdir()]
    assert {os.sched_getscheduler(thread) for thread in threads} <= {os.SCHED_OTHER, os.SCHED_BATCH}


def test_video_keeps_number_and_order_of_frames(tmp_path):
    frames = np.stack([np.full((64, 64, 3), level, np.uint8) for level in range(20, 240, 20)])
    with VideoWriter(tmp_path / "a.mp4", height=64, width=64, fps=20) as video:
        video.append(frames[:4])
        video.append(frames[4:])
    back = np.stack(list(read_frames(tmp_path / "a.mp4")))
    assert np.abs(back.astype(int) - frames).max() <= 6


def test_an_interrupted_writing_leaves_no_dataset(tmp_path):
    with pytest.raises(RuntimeError), DatasetWriter(tmp_path / "x", FEATURES, fps=20, robot_type="arm") as w:
        w.add_episode(*made_episode(0))
        raise RuntimeError("power cut")
    with pytest.raises(DatasetError, match=r"info\.json' is missing"):
        read_dataset(tmp_path / "x")


def test_an_existing_folder_is_never_overwritten(root):
    with pytest.raises(FileExistsError, match="not empty"):
        DatasetWriter(root, FEATURES, fps=20, robot_type="arm")


def test_episodes_that_do_not_fit_are_refused_by_name(tmp_path):
    writer = DatasetWriter(tmp_path / "y", FEATURES, fps=20, robot_type="arm")
    vectors, images, task = made_episode(0)
    with pytest.raises(ValueError, match=r"observation\.state"):
        writer.add_episode({"action": vectors["action"]}, images, task)
    with pytest.raises(ValueError, match="same number of steps"):
        writer.add_episode({**vectors, "action": vectors["action"][:-1]}, images, task)
    with pytest.raises(ValueError, match=r"must be \(T, 32, 48, 3\)"):
        writer.add_episode(vectors, {FRONT: images[FRONT][:, :16]}, task)


def test_another_version_and_a_truncated_table_are_refused(root, tmp_path):
    info = json.loads((root / "meta/info.json").read_text())
    for change, message in (
        ({"codebase_version": "v2.1"}, "version v2.1"),
        ({"total_frames": 17}, "16 steps"),
    ):
        copy = tmp_path / message.replace(" ", "")
        for path in root.rglob("*"):
            if path.is_file():
                (copy / path.relative_to(root)).parent.mkdir(parents=True, exist_ok=True)
                (copy / path.relative_to(root)).write_bytes(path.read_bytes())
        (copy / "meta/info.json").write_text(json.dumps(info | change))
        with pytest.raises(DatasetError, match=message):
            read_dataset(copy)
