# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A capped memory: which episodes a run learns from, and that it learns from nothing else."""

from dataclasses import replace

import numpy as np
import pytest

from lbm_policy_node.core.types import Array
from lbm_policy_node.data.datasets.dataset_contents import DatasetContents
from lbm_policy_node.data.datasets.dataset_reader import DatasetError, read_dataset
from lbm_policy_node.data.datasets.dataset_writer import DatasetWriter
from lbm_policy_node.data.datasets.features import Features
from lbm_policy_node.data.datasets.statistics import vector_stats
from lbm_policy_node.training.config import TrainConfig
from lbm_policy_node.training.loop import train
from lbm_policy_node.training.multitask_dit.blueprint import from_scratch
from lbm_policy_node.training.remembering import remembered
from lbm_policy_node.training.resume import ResumeError
from lbm_policy_node.training.samples import ChunkSamples

CAMERA = "observation.images.front"
NAMES = ("x", "y", "z", "g")
HUMAN_STEPS = (4, 0, 9, 2)
LENGTHS = (12, 14, 10, 16)
RECORDED = (30, 10, 40, 20)  # of another order than their numbers
QUICK = TrainConfig(steps=2, batch_size=8, draws=2, warmup_steps=2, checkpoint_every=2, log_every=1)


def write(root, *, modes=True, sources=True):
    features = Features(
        vectors={"observation.state": NAMES, "action": NAMES},
        cameras={CAMERA: (32, 32)},
        scalars={"control_mode": "int64"} if modes else {},
    )
    rng = np.random.default_rng(0)
    with DatasetWriter(root, features, fps=20, robot_type="test") as writer:
        for number, length in enumerate(LENGTHS):
            stage = writer.stage(str(number))
            for _ in range(length):
                stage.push({CAMERA: np.full((32, 32, 3), 60 * number, np.uint8)})
            columns: dict[str, Array] = {
                key: number + rng.normal(0, 0.1, (length, 4)) for key in features.vectors
            }
            if modes:
                columns["control_mode"] = np.arange(length) < HUMAN_STEPS[number]
            source = {"recorded_ns": RECORDED[number]} if sources else {}
            writer.add(stage.finish(columns, ["walk"] * length, source))
    return read_dataset(root)


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    return write(tmp_path_factory.mktemp("memory") / "set")


def numbers(dataset):
    return [row["episode_index"] for row in dataset.episodes]


@pytest.mark.parametrize(
    ("rule", "kept"), [("lfi", [0, 2]), ("mfi", [1, 3]), ("oldest", [0, 2]), ("newest", [1, 3])]
)
def test_each_rule_rejects_what_it_says(labelled, rule, kept):
    assert numbers(remembered(labelled, rule, 2)) == kept
    assert remembered(labelled, "all", 0) is labelled
    assert len(numbers(remembered(labelled, "uniform", 3, seed=4))) == 3


def test_without_times_the_numbers_tell_the_order(tmp_path):
    dataset = write(tmp_path / "set", sources=False)
    assert numbers(remembered(dataset, "oldest", 2)) == [2, 3]


def test_a_subset_is_a_dataset_of_its_own(labelled):
    part = labelled.subset([2, 0])
    assert numbers(part) == [0, 2] and len(part) == 22
    assert part.starts.tolist() == [0] * 12 + [12] * 10 and part.ends.tolist() == [12] * 12 + [22] * 10
    at = np.r_[0:12, 26:36]
    np.testing.assert_array_equal(part.rows, at)
    for key, values in labelled.vectors.items():
        np.testing.assert_array_equal(part.vectors[key], values[at])
        wanted = vector_stats(values[at])
        for name in ("mean", "std", "min", "max"):
            np.testing.assert_allclose(part.stats[key][name], wanted[name], rtol=1e-6, atol=1e-7)
    again = part.subset([2])
    np.testing.assert_array_equal(again.vectors["action"], labelled.vectors["action"][26:36])
    for wrong, message in (([7], r"no episodes \[7\]"), ([], "nothing is left")):
        with pytest.raises(DatasetError, match=message):
            labelled.subset(wrong)


def test_samples_of_a_subset_show_its_own_pictures(labelled, tiny):
    part = labelled.subset([1, 3])
    samples = ChunkSamples(part, from_scratch(part, tiny, QUICK).config)
    shown = samples.batch(np.arange(len(part)))[CAMERA].mean(axis=(1, 2, 3, 4))
    np.testing.assert_allclose(shown, [60] * 14 + [180] * 16, atol=3)


def test_a_run_learns_from_its_memory_alone_and_keeps_its_rule(labelled, tiny, tmp_path):
    config = replace(QUICK, memory="lfi", cap=2)
    folder = train(labelled, tmp_path / "run", config, tiny, device="cpu")
    assert '"episodes": 2' in (folder / "lbm_policy.json").read_text()
    with pytest.raises(ResumeError, match="cap: 2 then, 3 now"):
        train(labelled, tmp_path / "run", replace(config, cap=3), tiny, device="cpu")


def test_who_intervened_must_be_known_for_rules_about_it(tmp_path):
    dataset = write(tmp_path / "set", modes=False)
    assert DatasetContents.read(tmp_path / "set").sources[0] == {"recorded_ns": 30}
    for rule in ("lfi", "mfi"):
        with pytest.raises(DatasetError, match=rf"no column 'control_mode'.*'{rule}'.*oldest, newest"):
            remembered(dataset, rule, 2)
    assert numbers(remembered(dataset, "newest", 1)) == [1]


@pytest.mark.parametrize(("memory", "cap"), [("lfi", 0), ("all", 3), ("lfi", -1), ("fifo", 2)])
def test_a_rule_without_a_cap_or_a_cap_without_a_rule_is_refused(memory, cap):
    with pytest.raises(ValueError, match=r"memory|cap is -1"):
        TrainConfig(memory=memory, cap=cap)
