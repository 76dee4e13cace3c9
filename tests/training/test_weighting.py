# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Who drove decides how much a step counts, from the column on disk to the loss."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import load_file

from lbm_policy_node.data.datasets.dataset_reader import DatasetError, read_dataset
from lbm_policy_node.data.datasets.sample_weights import WEIGHT_RULES
from lbm_policy_node.training.config import TrainConfig
from lbm_policy_node.training.loop import train
from lbm_policy_node.training.multitask_dit.blueprint import from_scratch
from lbm_policy_node.training.resume import ResumeError
from lbm_policy_node.training.samples import ChunkSamples
from lbm_policy_node.training.weighting import dataset_weights

MODES = np.array([0] * 12 + [0] * 16 + [1] * 4 + [-1] * 9 + [0] * 15)  # episodes of 12, 20, 9 and 15 steps
QUICK = TrainConfig(steps=2, batch_size=8, draws=2, warmup_steps=2, checkpoint_every=2, log_every=1)


def labelled_copy(dataset, root, modes):
    """A copy of the dataset on disk that says who drove."""
    shutil.copytree(dataset.root, root)
    (file,) = (root / "data").glob("*/*.parquet")
    pq.write_table(pq.read_table(file).append_column("control_mode", pa.array(modes)), file)
    info = json.loads((root / "meta/info.json").read_text())
    info["features"]["control_mode"] = {"dtype": "int64", "shape": [1], "names": None}
    (root / "meta/info.json").write_text(json.dumps(info))
    return read_dataset(root)


@pytest.fixture
def labelled(dataset, tmp_path):
    return labelled_copy(dataset, tmp_path / "labelled", MODES)


def test_steps_before_a_takeover_of_their_own_episode_count_next_to_nothing(dataset, labelled):
    assert dataset.control_modes is None
    np.testing.assert_array_equal(labelled.control_modes, MODES)
    weights = dataset_weights(labelled, "sirius")
    assert weights is not None and weights.mean() == pytest.approx(1)
    low = np.flatnonzero(weights < 0.01)
    assert low.tolist() == list(range(13, 28))  # 15 steps at 20 Hz, and none of the first episode
    assert weights[28:32].sum() == pytest.approx(0.5 * 56)


def test_a_chunk_carries_the_weights_of_its_steps(labelled, tiny):
    weights = dataset_weights(labelled, "sirius")
    assert weights is not None
    config = from_scratch(labelled, tiny, QUICK).config
    batch = ChunkSamples(labelled, config, weights).batch(np.array([4, 24, 30]))
    rows = [range(4, 12), range(24, 32), [30, *[31] * 7]]  # the last one ends with its episode
    np.testing.assert_allclose(batch["action_weight"], weights[[list(row) for row in rows]], rtol=1e-6)
    assert "action_weight" not in ChunkSamples(labelled, config).batch(np.array([4]))


@pytest.mark.slow
def test_weights_change_what_is_learned_and_equal_ones_do_not(dataset, labelled, tiny, tmp_path):
    def learned(data, rule):
        folder = train(
            data, tmp_path / f"{data.root.name}_{rule}", replace(QUICK, weights=rule), tiny, device="cpu"
        )
        return load_file(folder / "model.safetensors")

    plain, same, weighted = learned(dataset, "none"), learned(labelled, "none"), learned(labelled, "sirius")
    assert all(np.array_equal(plain[name], same[name]) for name in plain)
    assert any(not np.array_equal(plain[name], weighted[name]) for name in plain)


def test_without_labels_weights_are_refused_and_the_advice_works(dataset, tiny, tmp_path):
    with pytest.raises(DatasetError, match=r"no column 'control_mode'.*'iwr'"):
        train(dataset, tmp_path / "run", replace(QUICK, weights="iwr"), tiny, device="cpu")
    assert train(dataset, tmp_path / "run", QUICK, tiny, device="cpu").name == "000002"


def test_a_mode_that_does_not_exist_is_refused(dataset, tmp_path):
    wrong = labelled_copy(dataset, tmp_path / "wrong", np.where(MODES == 1, 3, MODES))
    with pytest.raises(DatasetError, match=r"column 'control_mode'.*\[3\]"):
        dataset_weights(wrong, "iwr")


def test_every_rule_can_be_asked_for_and_no_other():
    assert [TrainConfig(weights=rule).weights for rule in WEIGHT_RULES] == list(WEIGHT_RULES)
    with pytest.raises(ValueError, match="weights is 'awr'; expected one of none, sirius, iwr"):
        TrainConfig(weights="awr")


@pytest.mark.slow
def test_a_run_keeps_its_weights_and_one_from_before_there_were_any_goes_on(labelled, tiny, tmp_path):
    out = tmp_path / "run"
    train(labelled, out, replace(QUICK, steps=1), tiny, device="cpu")
    settings = json.loads((out / "resume/settings.json").read_text())
    assert settings.pop("weights") == "none"
    (out / "resume/settings.json").write_text(json.dumps(settings))
    with pytest.raises(ResumeError, match="weights: none then, sirius now"):
        train(labelled, out, replace(QUICK, weights="sirius"), tiny, device="cpu")
    assert train(labelled, out, QUICK, tiny, device="cpu").name == "000002"
