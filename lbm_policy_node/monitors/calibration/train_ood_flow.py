# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Trains the flow of the out-of-distribution score (logpZO, arXiv 2503.08558; own code from the formula)."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lbm_policy_node.core.episodes.chunk_episode import ChunkEpisode
from lbm_policy_node.core.types import Array
from lbm_policy_node.monitors.flow_file import (
    FILE,
    FREQUENCIES,
    LAYERS,
    FlowWeights,
    OodFlowError,
    file_id,
    write_flow,
)

HELD_OUT_DRAWS = 8
"""Noises and times per held-out embedding, drawn once, so that epochs are compared on equal terms."""


@dataclass(frozen=True)
class OodFlowConfig:
    """How the flow is trained."""

    hidden: int = 256
    """Width of the two hidden layers."""
    epochs: int = 400
    """At most."""
    patience: int = 40
    """Epochs without a better held-out loss before the training ends."""
    batch: int = 128
    learning_rate: float = 1e-3
    held_out: float = 0.15
    """Share of the episodes (or embeddings, where episodes are not known) that decides when to stop."""
    std_floor: float = 0.01
    """Least standard deviation of a value, in root mean squares over all values: a value that hardly changes
    in training must not make every small change alarming."""
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("hidden", "epochs", "patience", "batch"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, expected at least 1")
        if not (math.isfinite(self.learning_rate) and self.learning_rate > 0):
            raise ValueError(f"learning_rate is {self.learning_rate}, expected a number above 0")
        if not (0 < self.held_out < 1 and 0 < self.std_floor <= 1):
            raise ValueError(f"held_out {self.held_out} and std_floor {self.std_floor} must lie in 0 to 1")


@dataclass(frozen=True)
class OodTraining:
    """What a training came to.

    Attributes:
        file: The weights.
        weights_id: Of the file; belongs into the score's parameters.
        epochs: That were trained.
        loss: Mean squared error per value on the held-out part, of the epoch that was kept.
        start_loss: The same before training.
    """

    file: Path
    weights_id: str
    epochs: int
    loss: float
    start_loss: float


class VelocityNetwork(nn.Module):
    """v(x, t) in torch; `flow_file.FlowWeights` is the same in numpy."""

    def __init__(self, size: int, hidden: int) -> None:
        """Build with fresh weights from torch's generator."""
        super().__init__()
        widths = (size + 2 * len(FREQUENCIES), *(LAYERS - 1) * (hidden,), size)
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(widths))
        self.register_buffer("frequencies", math.pi * torch.tensor(FREQUENCIES), persistent=False)

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        """Velocity (n, E) of x (n, E) at t (n,)."""
        angles = t[:, None] * self.get_buffer("frequencies")
        h = torch.cat((x, angles.cos(), angles.sin()), dim=1)
        for layer in self.layers[:-1]:
            h = nn.functional.silu(layer(h))
        return self.layers[-1](h)


def train_ood_flow(
    embeddings: Array,
    out_folder: Path,
    *,
    episodes: Array | None = None,
    config: OodFlowConfig | None = None,
    facts: dict[str, Any] | None = None,
    progress: Callable[[int, float], None] | None = None,
) -> OodTraining:
    """Train on embeddings of successful episodes and write `monitor_ood.safetensors`.

    The score is smaller on what it was trained on: episodes that train it must not calibrate its threshold.

    Args:
        embeddings: Shape (N, E).
        out_folder: Must exist.
        episodes: Which episode each embedding is of, shape (N,), so that whole episodes are held out.
        config: Defaults where None.
        facts: JSON values to keep in the file, such as the checkpoint's id.
        progress: Called after each epoch with its number and its held-out loss.

    Raises:
        OodFlowError: Too few, equal, or not finite embeddings.
    """
    config = config or OodFlowConfig()
    values = _check(embeddings, episodes)
    held_out = _hold_out(len(values), episodes, config)
    mean, std = _standardisation(values[~held_out], config.std_floor)
    data = torch.from_numpy(((values - mean) / std).astype(np.float32))
    with _reproducible(config.seed) as generator:
        network = VelocityNetwork(values.shape[1], config.hidden)
        train, test = data[torch.from_numpy(~held_out)], data[torch.from_numpy(held_out)]
        epochs, loss, start_loss = _fit(network, train, test, config, generator, progress)
    settings = {"settings": asdict(config), "embeddings": len(values), "epochs": epochs, "loss": loss}
    trained = {**(facts or {}), **settings}
    write_flow(out_folder / FILE, to_weights(network, mean, std, trained))
    return OodTraining(out_folder / FILE, file_id(out_folder / FILE), epochs, loss, start_loss)


def to_weights(network: VelocityNetwork, mean: Array, std: Array, facts: dict[str, Any]) -> FlowWeights:
    """The network for numpy."""
    layers = [layer for layer in network.layers if isinstance(layer, nn.Linear)]
    weights = tuple(layer.weight.detach().numpy().astype(np.float64) for layer in layers)
    biases = tuple(layer.bias.detach().numpy().astype(np.float64) for layer in layers)
    return FlowWeights(mean, std, weights, biases, facts)


def _fit(
    network: VelocityNetwork,
    train: Tensor,
    test: Tensor,
    config: OodFlowConfig,
    generator: torch.Generator,
    progress: Callable[[int, float], None] | None,
) -> tuple[int, float, float]:
    """Train until the held-out loss stops falling; the best weights stay. Epochs, best and first loss."""
    optimizer = torch.optim.Adam(network.parameters(), lr=config.learning_rate)
    repeated = test.repeat(HELD_OUT_DRAWS, 1)
    draws = _draw(repeated, generator)
    start_loss = best = _held_out_loss(network, repeated, draws)
    kept, kept_epoch, epoch = copy.deepcopy(network.state_dict()), 0, 0
    while epoch < config.epochs and epoch - kept_epoch < config.patience:
        epoch += 1
        for rows in torch.randperm(len(train), generator=generator).split(config.batch):
            optimizer.zero_grad()
            flow_loss(network, train[rows], *_draw(train[rows], generator)).backward()
            optimizer.step()
        loss = _held_out_loss(network, repeated, draws)
        if loss < best:
            best, kept_epoch, kept = loss, epoch, copy.deepcopy(network.state_dict())
        if progress is not None:
            progress(epoch, loss)
    network.load_state_dict(kept)
    return epoch, best, start_loss


def flow_loss(network: VelocityNetwork, x0: Tensor, x1: Tensor, t: Tensor) -> Tensor:
    """Mean of ||v(x0 + t v*, t) - v*||^2 / E with v* = x1 - x0, x1 standard normal (arXiv 2503.08558)."""
    target = x1 - x0
    return (network(x0 + t[:, None] * target, t) - target).square().mean()


def _draw(x0: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """A noise and a time for each row."""
    return torch.randn(x0.shape, generator=generator), torch.rand(len(x0), generator=generator)


@torch.no_grad()
def _held_out_loss(network: VelocityNetwork, x0: Tensor, draws: tuple[Tensor, Tensor]) -> float:
    return float(flow_loss(network, x0, *draws))


def _check(embeddings: Array, episodes: Array | None) -> Array:
    values = np.asarray(embeddings, dtype=np.float64)
    if values.ndim != 2 or len(values) < 2 or values.shape[1] < 1:
        raise OodFlowError(f"embeddings have shape {values.shape}, expected (N, E) with N of at least 2")
    if not np.isfinite(values).all():
        raise OodFlowError("the embeddings hold infinite or undefined numbers")
    if episodes is not None and np.shape(episodes) != (len(values),):
        raise OodFlowError(f"episodes has shape {np.shape(episodes)}, expected ({len(values)},)")
    return values


def _hold_out(count: int, episodes: Array | None, config: OodFlowConfig) -> Array:
    """Which embeddings decide when to stop, bool (N,): whole episodes where these are known."""
    groups = np.unique(np.arange(count) if episodes is None else episodes, return_inverse=True)[1]
    total = int(groups.max()) + 1
    if total < 2:
        raise OodFlowError("all embeddings are of one episode, expected at least two")
    n = min(max(1, round(config.held_out * total)), total - 1)
    return np.isin(groups, np.random.default_rng(config.seed).permutation(total)[:n])


def _standardisation(values: Array, floor: float) -> tuple[Array, Array]:
    """Mean and floored standard deviation of each value."""
    mean, std = values.mean(axis=0), values.std(axis=0)
    rms = float(np.sqrt(np.square(std).mean()))
    if rms <= 1e-9 * (1 + float(np.abs(mean).max())):
        raise OodFlowError("all embeddings are equal; the policy's embedding does not depend on what it sees")
    return mean, np.maximum(std, floor * rms)


@contextmanager
def _reproducible(seed: int) -> Iterator[torch.Generator]:
    """One thread, so that sums keep their order, and seeds of our own; both as before afterwards."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            yield torch.Generator().manual_seed(seed)
    finally:
        torch.set_num_threads(threads)


def train(episodes: Iterable[ChunkEpisode], folder: Path) -> str:
    """Train, and say what came of it; see `Score.trainer`."""
    trained = train_on_episodes(episodes, folder)
    return f"ood_flow trained, {trained.epochs} epochs: {trained.file}"


def train_on_episodes(episodes: Iterable[ChunkEpisode], out_folder: Path) -> OodTraining:
    """Train on the successful ones among some episodes, on their chunks up to the success.

    Raises:
        OodFlowError: None was successful, a chunk lacks the embedding, or see train_ood_flow.
    """
    successes = [episode for episode in episodes if episode.success]
    numbered = [(i, chunk) for i, episode in enumerate(successes) for chunk in episode.until_success()]
    if not numbered or not all(chunk.embedding.size for _, chunk in numbered):
        raise OodFlowError(
            f"{len(successes)} successes to train on, with {len(numbered)} chunks: every chunk needs the "
            "policy's embedding; record with send_embedding"
        )
    out_folder.mkdir(parents=True, exist_ok=True)
    return train_ood_flow(
        np.stack([chunk.embedding for _, chunk in numbered]),
        out_folder,
        episodes=np.array([i for i, _ in numbered]),
        facts={"episodes": len(successes)},
    )
