# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The whole way: recorded episodes, `lbm export`, `lbm train` with weights and a memory."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from safetensors.numpy import load_file

from helpers.episode_maker import make_episode
from lbm_policy_node.cli.main import main
from lbm_policy_node.core.episodes.labels import StepClass
from lbm_policy_node.data.datasets.dataset_reader import read_dataset
from lbm_policy_node.data.episodes.episode import read_episode
from lbm_policy_node.training.weighting import dataset_weights

DEMO = {"infer": None, "checkpoint_id": ""}
TINY = {
    **{"horizon": 8, "n-action-steps": 4, "sampling-steps": 4},
    **{"hidden-dim": 32, "layers": 1, "heads": 2, "timestep-dim": 16},
    **{"vision-width": 32, "vision-layers": 1, "vision-heads": 2, "vision-patch": 30, "image-crop": 120},
    **{"text-width": 16, "text-layers": 1, "text-length": 12},
}
VECTORS = ("observation.state", "action", "policy_action")


def lbm(*arguments):
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(scope="module")
def episodes(tmp_path_factory):
    """Demonstrations are the larger part: more than the 49.8 % beyond which the robot would weigh below 0."""
    folder = tmp_path_factory.mktemp("episodes")
    for number in range(3):
        make_episode(folder / f"demo{number}", seconds=1.6, takeovers=((0.1, 1.6),), **DEMO)
    make_episode(folder / "rescued", seconds=2.0, takeovers=((1.2, 1.6),))
    make_episode(folder / "alone", seconds=0.8)
    return folder


@pytest.fixture(scope="module")
def root(episodes, tmp_path_factory):
    root = tmp_path_factory.mktemp("datasets") / "set"
    lbm("export", episodes, "--out", root)
    return root


@pytest.fixture(scope="module")
def flags():
    """A model that trains in milliseconds."""
    sizes = [f"--{key}={value}" for key, value in TINY.items()]
    quick = ("--steps=2", "--batch-size=8", "--draws=2", "--warmup-steps=1", "--device=cpu", "--threads=1")
    return [*sizes, *quick]


@pytest.mark.slow
def test_rereading_gives_the_actions_and_stamps_of_the_bag(episodes, root):
    data = read_dataset(root)
    table = pq.read_table(root / "data")
    for number, row in enumerate(data.episodes):
        episode = read_episode(episodes / data.contents.sources[number]["episode_id"])
        steps = data.steps_of(number)
        stamps = table["stamp_ns"].to_numpy()[steps]
        ticks = np.searchsorted(episode.ticks.stamps_ns, stamps + episode.spec.action.lead_ns)
        np.testing.assert_array_equal(episode.ticks.stamps_ns[ticks], stamps + 50_000_000)
        executed = episode.ticks.executed[ticks].astype(np.float32)
        np.testing.assert_array_equal(data.vectors["action"][steps], executed)
        pictures = {s.stamp_ns: s.value for s in episode.samples(["front"])}
        shown = data.frames("observation.images.front")[steps[[0, -1]]]
        for stamp, picture in zip(stamps[[0, -1]], shown, strict=True):
            assert np.abs(np.asarray(pictures[stamp], int) - picture).mean() < 2.0
        assert row["length"] == len(steps)


def test_the_files_are_what_the_format_says(root):
    info = json.loads((root / "meta/info.json").read_text())
    assert info["codebase_version"] == "v3.0" and info["robot_type"] == "metaworld_sawyer"
    assert (info["total_episodes"], info["fps"], info["chunks_size"]) == (5, 20, 1000)
    assert (info["data_files_size_in_mb"], info["video_files_size_in_mb"]) == (100, 200)
    video = info["features"]["observation.images.wrist"]["info"]
    assert (video["video.codec"], video["video.fps"], video["video.channels"]) == ("h264", 20, 3)
    file = pq.ParquetFile(root / "data/chunk-000/file-000.parquet")
    lengths = pq.read_table(root / "meta/episodes")["length"].to_pylist()
    groups = [file.metadata.row_group(i) for i in range(file.num_row_groups)]
    assert [group.num_rows for group in groups] == lengths
    assert {group.column(0).compression for group in groups} == {"SNAPPY"}
    types = {field.name: str(field.type) for field in file.schema_arrow}
    vector = "fixed_size_list<element: float>[4]"
    assert {types.pop(name) for name in VECTORS} == {vector}
    integers = ("control_mode", "sirius_class", "monitor.level", "stamp_ns", "frame_index", "index")
    assert types == {
        **dict.fromkeys((*integers, "episode_index", "task_index"), "int64"),
        **dict.fromkeys(("policy_action_valid", "intervention", "monitor.valid"), "bool"),
        **dict.fromkeys(("next.success", "next.done"), "bool"),
        **dict.fromkeys(("monitor.score", "monitor.statistic", "timestamp"), "float"),
    }
    hub = json.loads(file.schema_arrow.metadata[b"huggingface"])["info"]["features"]
    assert list(hub) == list(types_in_order := file.schema_arrow.names) and set(types_in_order) < set(
        info["features"]
    )
    assert {key: info["features"][key]["dtype"] for key, value in hub.items() if "dtype" in value} == {
        key: value["dtype"] for key, value in hub.items() if "dtype" in value
    }
    stats = json.loads((root / "meta/stats.json").read_text())
    assert set(stats) == set(info["features"])
    assert all(np.isfinite(np.array(value)).all() for entry in stats.values() for value in entry.values())


def test_the_robot_never_weighs_below_zero_however_many_demonstrations(root):
    data = read_dataset(root)
    assert data.classes is not None
    assert (data.classes == StepClass.DEMO).mean() > 0.498
    weights = dataset_weights(data, "sirius")
    assert weights is not None and weights.min() >= 0 and weights.mean() == pytest.approx(1)
    share = {kind: weights[data.classes == kind].sum() / len(data) for kind in StepClass}
    assert share[StepClass.INTERVENTION] == pytest.approx(0.5)
    assert share[StepClass.DEMO] == pytest.approx(0.498)
    assert share[StepClass.ROBOT] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.slow
def test_lbm_train_learns_from_it_with_weights_and_memory(root, flags, tmp_path):
    options = (["--weights=sirius"], ["--weights=sirius", "--memory=lfi", "--cap=4"], ["--weights=none"])
    losses = []
    for number, extra in enumerate(options):
        out = lbm("train", root, "--out", tmp_path / str(number), *flags, *extra)
        folder = Path(out.splitlines()[-1].removeprefix("checkpoint: "))
        sidecar = json.loads((folder / "lbm_policy.json").read_text())
        assert sidecar["provenance"]["episodes"] == (4 if "--cap=4" in extra else 5)
        assert all(np.isfinite(value).all() for value in load_file(folder / "model.safetensors").values())
        config = json.loads((folder / "config.json").read_text())
        assert set(config["input_features"]) == {
            "observation.state",
            "observation.images.front",
            "observation.images.wrist",
        }
        losses.append(load_file(folder / "model.safetensors"))
    assert any(not np.array_equal(losses[0][name], losses[2][name]) for name in losses[0])


def test_a_long_pause_before_a_takeover_is_not_relabelled_in_training(tmp_path, flags):
    """The dataset has no paused steps, so only the exported classes know how long it lasted."""
    make_episode(tmp_path / "e", seconds=3.5, replan_steps=100, takeovers=((2.0, 2.6),))
    lbm("export", tmp_path / "e", "--out", tmp_path / "set")
    weights = dataset_weights(read_dataset(tmp_path / "set"), "sirius")
    assert weights is not None and weights.min() > 0.1
