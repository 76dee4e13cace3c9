# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The weights of the out-of-distribution flow in numpy and on disk (safetensors, no pickle)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from lbm_policy_node.core.types import Array, read_only

FILE = "monitor_ood.safetensors"
METADATA_KEY = "lbm_policy.ood_flow"
FORMAT = 1
FREQUENCIES = (0.5, 1.0, 2.0, 4.0)
"""Of the time features cos(pi f t), sin(pi f t); distinct at t = 0 and t = 1."""
LAYERS = 3


class OodFlowError(ValueError):
    """Weights that cannot be used, or an embedding that does not fit them."""


def time_features(t: Array) -> Array:
    """Features (n, 8) of times (n,) in [0, 1]."""
    angles = np.pi * np.asarray(t, np.float64)[:, None] * np.array(FREQUENCIES)
    return np.concatenate((np.cos(angles), np.sin(angles)), axis=1)


@dataclass(frozen=True, eq=False)
class FlowWeights:
    """The velocity network v(x, t): a multilayer perceptron with SiLU on standardised embeddings.

    Attributes:
        mean, std: Of the training embeddings, shape (E,); std is above 0.
        weights: Of the layers, in torch's layout (outputs, inputs); the first takes E + 8 values, the last
            gives E.
        biases: One per layer.
        facts: JSON values about the training.

    Raises:
        OodFlowError: Shapes that do not fit together, or numbers that are not finite.
    """

    mean: Array
    std: Array
    weights: tuple[Array, ...]
    biases: tuple[Array, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        tensors = {name: np.asarray(tensor) for name, tensor in self.tensors().items()}
        size, hidden = tensors["mean"].size, tensors["layers.0.bias"].size
        for name, shape in _shapes(size, hidden).items():
            if tensors[name].shape != shape:
                raise OodFlowError(f"tensor '{name}' has shape {tensors[name].shape}, expected {shape}")
            if not np.isfinite(tensors[name]).all():
                raise OodFlowError(f"tensor '{name}' holds infinite or undefined numbers")
        if not (tensors["std"] > 0).all():
            raise OodFlowError("tensor 'std' holds values that are not above 0")

    @property
    def embedding_dim(self) -> int:
        """E, the width of the embeddings."""
        return self.mean.size

    def tensors(self) -> dict[str, Array]:
        """By their names in the file."""
        named = {"mean": self.mean, "std": self.std}
        for i, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            named |= {f"layers.{i}.weight": weight, f"layers.{i}.bias": bias}
        return named

    def standardise(self, embeddings: Array) -> Array:
        """Embeddings (n, E) in units of the training set."""
        return (np.asarray(embeddings, np.float64) - self.mean) / self.std

    def velocity(self, x: Array, t: Array) -> Array:
        """v(x, t), shape (n, E), for standardised x (n, E) and t (n,)."""
        h = np.concatenate((x, time_features(t)), axis=1)
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            h = h @ weight.T + bias
            h = h * 0.5 * (1 + np.tanh(h / 2))  # SiLU, in a form that cannot overflow
        return h @ self.weights[-1].T + self.biases[-1]


def write_flow(path: Path, flow: FlowWeights) -> None:
    """Write the file; float32."""
    ready = {name: np.ascontiguousarray(array, np.float32) for name, array in flow.tensors().items()}
    facts = json.dumps({"format": FORMAT, **flow.facts}, sort_keys=True)
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(save(ready, metadata={METADATA_KEY: facts}))  # save_file makes it private
    partial.replace(path)


def read_flow(path: Path) -> FlowWeights:
    """Read the file strictly.

    Raises:
        OodFlowError: It is missing, damaged or of another kind; the message names the file and the tensor.
    """
    if not path.is_file():
        raise OodFlowError(
            f"{path} is missing; training the score writes it (lbm calibrate --score ood_flow)"
        )
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    except (SafetensorError, OSError) as error:
        raise OodFlowError(f"{path} cannot be read, truncated or damaged ({error})") from error
    try:
        return _assemble(tensors, _facts(metadata))
    except OodFlowError as error:
        raise OodFlowError(f"{path}: {error}") from error


def file_id(path: Path) -> str:
    """First 16 hexadecimal digits of a file's SHA-256."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def _facts(metadata: Mapping[str, str]) -> dict[str, Any]:
    try:
        facts = json.loads(metadata[METADATA_KEY])
    except (KeyError, ValueError, RecursionError) as error:
        raise OodFlowError(f"the metadata lack readable '{METADATA_KEY}'; this is no flow's file") from error
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        raise OodFlowError(f"'{METADATA_KEY}' is not of format {FORMAT}: {str(facts)[:100]}")
    return facts


def _assemble(tensors: Mapping[str, Array], facts: dict[str, Any]) -> FlowWeights:
    expected = set(_shapes(1, 1))
    if missing := sorted(expected - set(tensors)):
        raise OodFlowError(f"the tensors {missing} are missing")
    if unknown := sorted(set(tensors) - expected):
        raise OodFlowError(f"the tensors {unknown} are unknown")
    for name, tensor in tensors.items():
        if tensor.dtype != np.float32:
            raise OodFlowError(f"tensor '{name}' has type {tensor.dtype}, expected float32")
    # Copies in double precision: the file may be replaced while the monitor runs.
    ready = {name: read_only(tensor.astype(np.float64)) for name, tensor in tensors.items()}
    weights = tuple(ready[f"layers.{i}.weight"] for i in range(LAYERS))
    biases = tuple(ready[f"layers.{i}.bias"] for i in range(LAYERS))
    return FlowWeights(ready["mean"], ready["std"], weights, biases, facts)


def _shapes(size: int, hidden: int) -> dict[str, tuple[int, ...]]:
    """Name and shape of every tensor for embeddings of a size."""
    widths = (size + 2 * len(FREQUENCIES), *(LAYERS - 1) * (hidden,), size)
    shapes: dict[str, tuple[int, ...]] = {"mean": (size,), "std": (size,)}
    for i in range(LAYERS):
        shapes |= {f"layers.{i}.weight": (widths[i + 1], widths[i]), f"layers.{i}.bias": (widths[i + 1],)}
    return shapes
