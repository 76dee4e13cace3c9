# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The out-of-distribution score: its formula, its training, and the file between them."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file
from scipy.special import expit

from lbm_policy_node.monitors.calibration.train_ood_flow import (
    OodFlowConfig,
    OodTraining,
    VelocityNetwork,
    flow_loss,
    train_ood_flow,
)
from lbm_policy_node.monitors.flow_file import FILE, METADATA_KEY, FlowWeights, OodFlowError, read_flow
from lbm_policy_node.monitors.pair import SamplePair
from lbm_policy_node.monitors.scores.ood_flow import OodFlow, ood_scores
from lbm_policy_node.monitors.scores.registry import make_score
from lbm_policy_node.monitors.scores.score import ScoreConfig

SIZE, RANK = 24, 4
FAST = OodFlowConfig(hidden=48, epochs=120, learning_rate=3e-3)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def embeddings(count: int, seed: int, shift: float = 0.0, noise: float = 0.1) -> np.ndarray:
    """Gaussian embeddings near a plane of RANK dimensions, moved within it by a shift in deviations."""
    plane, offset = np.random.default_rng(99).normal(size=(2, RANK, SIZE))
    rng = np.random.default_rng(seed)
    within = rng.normal(size=(count, RANK)) + shift
    return within @ plane + 5 * offset[0] + noise * rng.normal(size=(count, SIZE))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> OodTraining:
    return train_ood_flow(embeddings(500, 0), tmp_path_factory.mktemp("ood"), config=FAST)


@pytest.fixture
def flow(trained: OodTraining) -> FlowWeights:
    return read_flow(trained.file)


def independent_score(file: Path, embedding: np.ndarray) -> float:
    """||O + v(O, 0)||^2 straight from the file's tensors: at t = 0 the cosines are 1 and the sines 0."""
    tensors = {name: tensor.astype(np.float64) for name, tensor in load_file(file).items()}
    o = (embedding - tensors["mean"]) / tensors["std"]
    h = np.array([*o, 1, 1, 1, 1, 0, 0, 0, 0])
    for i in range(3):
        h = tensors[f"layers.{i}.weight"] @ h + tensors[f"layers.{i}.bias"]
        h = h * expit(h) if i < 2 else h
    return sum((a + b) ** 2 for a, b in zip(o, h, strict=True))


def test_the_score_equals_the_formula(trained: OodTraining, flow: FlowWeights) -> None:
    for embedding in np.concatenate((embeddings(5, 1), embeddings(5, 2, shift=50))):
        assert OodFlow(flow).score(embedding) == pytest.approx(
            independent_score(trained.file, embedding), rel=1e-9
        )


def test_a_pair_is_scored_by_the_current_embedding_alone(trained: OodTraining, flow: FlowWeights) -> None:
    embedding = embeddings(1, 4)[0].astype(np.float32)
    samples, no_turns = np.zeros((5, 3, 2)), np.empty((5, 3, 0, 4))
    pair = SamplePair(3, 2, 2, samples, no_turns, np.empty(0), embedding)
    assert OodFlow(flow)(pair) == pytest.approx(independent_score(trained.file, embedding), rel=1e-9)
    assert OodFlow(flow)(replace(pair, linear=samples + 1)) == OodFlow(flow)(pair)


def test_numpy_computes_what_torch_computes(flow: FlowWeights) -> None:
    network = VelocityNetwork(SIZE, FAST.hidden)
    state = {name: torch.from_numpy(t.copy()) for name, t in flow.tensors().items() if name[0] == "l"}
    network.load_state_dict({name: tensor.float() for name, tensor in state.items()})
    x, t = flow.standardise(embeddings(50, 3)), np.linspace(0, 1, 50)
    with torch.no_grad():
        expected = network(torch.from_numpy(x).float(), torch.from_numpy(t).float()).numpy()
    assert np.abs(flow.velocity(x, t) - expected).max() < 1e-5


def test_the_loss_equals_the_formula() -> None:
    torch.manual_seed(0)
    network, x0, x1, t = VelocityNetwork(3, 8), torch.randn(5, 3), torch.randn(5, 3), torch.rand(5)
    with torch.no_grad():
        rows = [
            network((x0[i] + t[i] * (x1[i] - x0[i]))[None], t[i : i + 1])[0] - (x1[i] - x0[i])
            for i in range(5)
        ]
        expected = sum(float(row @ row) for row in rows) / (5 * 3)
        assert float(flow_loss(network, x0, x1, t)) == pytest.approx(expected, rel=1e-5)


def test_training_lowers_the_held_out_loss(trained: OodTraining) -> None:
    assert trained.loss < 0.75 * trained.start_loss


@pytest.mark.parametrize("changes", [{"shift": 3.0}, {"noise": 1.5}])
def test_unfamiliar_embeddings_score_higher(flow: FlowWeights, changes: dict[str, float]) -> None:
    """Fresh familiar ones score as the training ones do; moved ones, and ones off the plane, lie above."""
    familiar, fresh = ood_scores(flow, embeddings(500, 0)), ood_scores(flow, embeddings(300, 1))
    unfamiliar = ood_scores(flow, embeddings(300, 2, **changes))
    assert 0.5 < np.median(fresh) / np.median(familiar) < 2
    assert np.mean(unfamiliar > np.quantile(fresh, 0.95)) > 0.9


def test_training_is_deterministic_and_leaves_torchs_generator_alone(tmp_path: Path) -> None:
    files = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        torch.manual_seed(len(files))  # whatever the caller's generator is at
        expected = torch.randn(1)
        torch.manual_seed(len(files))
        files.append(train_ood_flow(embeddings(60, 0), tmp_path / name, config=replace(FAST, epochs=3)).file)
        assert torch.equal(torch.randn(1), expected)
    assert files[0].read_bytes() == files[1].read_bytes()
    other = train_ood_flow(embeddings(60, 0), tmp_path, config=replace(FAST, epochs=3, seed=1))
    assert other.file.read_bytes() != files[0].read_bytes()


def test_training_stops_early_and_keeps_the_best_epoch(tmp_path: Path) -> None:
    seen: list[tuple[int, float]] = []
    config = replace(FAST, epochs=400, patience=5, learning_rate=0.02)
    done = train_ood_flow(
        embeddings(60, 0), tmp_path, config=config, progress=lambda epoch, loss: seen.append((epoch, loss))
    )
    assert [epoch for epoch, _ in seen] == list(range(1, done.epochs + 1)) and done.epochs < 400
    losses = [loss for _, loss in seen]
    assert done.loss == min(losses) and losses.index(min(losses)) == done.epochs - 6


def test_whole_episodes_are_held_out(tmp_path: Path) -> None:
    """Twenty episodes of which each is one repeated embedding: without them nothing new would be held out."""
    episodes = np.repeat(np.arange(20), 10)
    values = np.random.default_rng(0).normal(size=(20, SIZE))[episodes]
    config = OodFlowConfig(hidden=64, epochs=60, patience=60, learning_rate=3e-3, held_out=0.2)
    mixed = train_ood_flow(values, tmp_path, config=config)
    whole = train_ood_flow(values, tmp_path, config=config, episodes=episodes)
    assert whole.loss > 1.2 * mixed.loss


def test_a_value_that_never_changes_does_not_dominate(tmp_path: Path) -> None:
    values = embeddings(100, 0)
    values[:, 5] = 1.0
    flow = read_flow(train_ood_flow(values, tmp_path, config=replace(FAST, epochs=2)).file)
    rms = np.sqrt(np.square(flow.std).mean())
    assert flow.std.min() == flow.std[5] == pytest.approx(0.01 * rms, rel=0.1)


@pytest.mark.parametrize(
    ("values", "episodes", "named"),
    [
        (np.zeros(5), None, r"shape \(5,\)"),
        (np.zeros((1, 5)), None, r"shape \(1, 5\)"),
        (np.full((4, 5), np.nan), None, "infinite or undefined"),
        (np.ones((4, 5)), None, "all embeddings are equal"),
        (np.eye(4), np.zeros(4), "one episode"),
        (np.eye(4), np.zeros(3), r"episodes has shape \(3,\)"),
    ],
)
def test_embeddings_that_cannot_train_are_refused(
    tmp_path: Path, values: np.ndarray, episodes: Any, named: str
) -> None:
    with pytest.raises(OodFlowError, match=named):
        train_ood_flow(values, tmp_path, episodes=episodes, config=FAST)
    assert not (tmp_path / FILE).exists()


def test_an_embedding_that_does_not_fit_is_refused(flow: FlowWeights) -> None:
    score = OodFlow(flow)
    with pytest.raises(OodFlowError, match=r"shape \(23,\), the flow was trained on \(24,\)"):
        score.score(np.zeros(23))
    for bad in (np.nan, np.inf):
        with pytest.raises(OodFlowError, match="infinite or undefined"):
            score.score(np.full(SIZE, bad))
    assert np.isfinite(score.score(np.full(SIZE, np.finfo(np.float32).max)))


def test_the_file_says_how_it_was_made(tmp_path: Path) -> None:
    facts = {"checkpoint_id": "0123456789abcdef"}
    done = train_ood_flow(embeddings(60, 0), tmp_path, config=replace(FAST, epochs=2), facts=facts)
    kept = read_flow(done.file).facts
    assert (kept["checkpoint_id"], kept["embeddings"], kept["epochs"]) == ("0123456789abcdef", 60, 2)
    assert kept["settings"]["hidden"] == 48 and kept["loss"] == done.loss


def test_the_score_is_made_from_its_folder(trained: OodTraining) -> None:
    config = ScoreConfig("ood_flow", parameters={"weights_id": trained.weights_id})
    score = make_score(config, trained.file.parent)
    assert (score.name, score.needs_embedding) == ("ood_flow", True)
    with pytest.raises(OodFlowError, match="calibration was made with 0000"):
        make_score(ScoreConfig("ood_flow", parameters={"weights_id": "0000"}), trained.file.parent)
    with pytest.raises(ValueError, match=r"no parameter \['depth'\]"):
        make_score(ScoreConfig("ood_flow", parameters={"depth": 3}), trained.file.parent)
    with pytest.raises(OodFlowError, match="needs the folder"):
        make_score(ScoreConfig("ood_flow"), None)


def damaged(change: str, tensors: dict[str, np.ndarray], metadata: dict[str, str]) -> None:
    """Spoil the content of a file in one way."""
    if change == "missing":
        del tensors["layers.1.bias"]
    elif change == "unknown":
        tensors["extra"] = np.zeros(2, np.float32)
    elif change == "shape":
        tensors["layers.2.weight"] = tensors["layers.2.weight"][:, :-1].copy()
    elif change == "width":
        tensors["std"] = tensors["std"][:-1].copy()
    elif change == "scalar":
        tensors["mean"] = np.array(1.0, np.float32)
    elif change == "type":
        tensors["mean"] = tensors["mean"].astype(np.float16)
    elif change == "nan":
        tensors["layers.0.bias"][0] = np.nan
    elif change == "zero":
        tensors["std"][3] = 0
    elif change == "foreign":
        metadata.clear()
    elif change == "format":
        metadata[METADATA_KEY] = json.dumps({"format": 99})
    elif change == "nested":
        metadata[METADATA_KEY] = "[" * 100_000


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("missing", r"\['layers.1.bias'\] are missing"),
        ("unknown", r"\['extra'\] are unknown"),
        ("shape", r"'layers.2.weight' has shape \(24, 47\), expected \(24, 48\)"),
        ("width", r"'std' has shape \(23,\), expected \(24,\)"),
        ("scalar", "'mean' has shape"),
        ("type", "'mean' has type float16"),
        ("nan", "'layers.0.bias' holds infinite or undefined"),
        ("zero", "'std' holds values that are not above 0"),
        ("foreign", "this is no flow's file"),
        ("format", "not of format 1"),
        ("nested", "this is no flow's file"),
    ],
)
def test_a_damaged_file_is_refused_with_what_is_wrong(
    trained: OodTraining, tmp_path: Path, change: str, named: str
) -> None:
    tensors = load_file(trained.file)
    metadata = {METADATA_KEY: json.dumps({"format": 1})}
    damaged(change, tensors, metadata)
    save_file(tensors, tmp_path / FILE, metadata=metadata)
    with pytest.raises(OodFlowError, match=rf"{FILE}.*{named}"):
        read_flow(tmp_path / FILE)


def test_a_missing_or_truncated_file_is_named(trained: OodTraining, tmp_path: Path) -> None:
    with pytest.raises(OodFlowError, match=rf"{FILE} is missing"):
        read_flow(tmp_path / FILE)
    for size in (0, 5, 200, trained.file.stat().st_size - 1):
        (tmp_path / FILE).write_bytes(trained.file.read_bytes()[:size])
        with pytest.raises(OodFlowError, match=rf"{FILE} cannot be read, truncated or damaged"):
            read_flow(tmp_path / FILE)


@pytest.mark.slow
def test_scoring_imports_no_torch(trained: OodTraining) -> None:
    code = (
        "import sys, pathlib; from lbm_policy_node.monitors.scores.registry import make_score;"
        "from lbm_policy_node.monitors.scores.score import ScoreConfig;"
        f"score = make_score(ScoreConfig('ood_flow'), pathlib.Path({str(trained.file.parent)!r}));"
        "import numpy; score.score(numpy.zeros(24)); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
