# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""model.safetensors of pi0 and pi0.5: strict, tensor by tensor, under LeRobot's or openpi's names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from lbm_policy_node.policies.checkpoint.errors import CheckpointError
from lbm_policy_node.policies.checkpoint.files import CONFIG_FILE, WEIGHTS_FILE
from lbm_policy_node.policies.checkpoint.sidecar import Sidecar
from lbm_policy_node.policies.checkpoint.tensor_stream import Planned, TensorReader, write_stream
from lbm_policy_node.policies.empty_model import empty_model
from lbm_policy_node.policies.pi0.config import Pi0Config
from lbm_policy_node.policies.pi0.model import Pi0
from lbm_policy_node.policies.pi0.sizes import EXPERT, LANGUAGE, Pi0Sizes, read_sizes

PREFIX = "model."
LANGUAGE_HEAD = "paligemma_with_expert.paligemma.lm_head.weight"
EXPERT_HEAD = "paligemma_with_expert.gemma_expert.lm_head.weight"
EMBEDDING = f"{LANGUAGE}embed_tokens.weight"
TOWER = re.compile(r"(\.vision_tower\.)(?!vision_model\.)")
SINGLE_PRECISION = (
    "vision_tower", "multi_modal_projector", "input_layernorm", "post_attention_layernorm", "model.norm",
)  # fmt: skip
"""Parts of both networks that LeRobot keeps in float32 when config.json says bfloat16."""
SHOWN = 6


def load_model(
    directory: Path,
    config: Pi0Config,
    sidecar: Sidecar,
    dtype: torch.dtype,
    device: torch.device | str = "cpu",
    *,
    expert: torch.dtype | None = None,
) -> Pi0:
    """Build the model and fill it from the file, one tensor at a time, straight on the device.

    Args:
        directory: The checkpoint.
        config: Its configuration.
        sidecar: Its sidecar.
        dtype: What it computes in; see `stored_type` for what stays float32.
        device: torch device.
        expert: Another type for the action expert, which may learn while the rest does not.

    Raises:
        CheckpointError: Missing, extra, misshapen or undefined tensors, by name: never a random model.
    """
    path = directory / WEIGHTS_FILE
    with TensorReader(path) as reader:
        sources = stored_names(reader.entries, config)
        shapes = {name: reader.entries[stored].shape for name, stored in sources.items()}
        model = _build(directory, config, sidecar, shapes)
        expected = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
        check_names(path, expected, shapes)
        for name in expected:
            own = expert if expert is not None and name.startswith(EXPERT) else dtype
            tensor = reader.read(sources[name], stored_type(name, own), device)
            parent, _, leaf = name.rpartition(".")
            setattr(model.get_submodule(parent), leaf, nn.Parameter(tensor, requires_grad=False))
    return model.eval()


def stored_names(names: Iterable[str], config: Pi0Config) -> dict[str, str]:
    """Module name to the name in the file.

    The rules are LeRobot's: "model." may be missing (openpi), names without it may call the time MLP by the
    other model's name, a missing embedding is taken from the language head, and both heads are unused.
    transformers from 5.6 on leaves out `vision_model.`.
    """
    found: dict[str, str] = {}
    for stored in names:
        name = TOWER.sub(r"\1vision_model.", stored.removeprefix(PREFIX))
        if not stored.startswith(PREFIX):
            name = _time_mlp(name, adaptive=config.adaptive)
        if name in found:
            raise CheckpointError("", name, f"is stored twice, as {found[name]} and {stored}")
        found[name] = stored
    if LANGUAGE_HEAD in found and EMBEDDING not in found:
        found[EMBEDDING] = found[LANGUAGE_HEAD]
    return {name: stored for name, stored in found.items() if name not in (LANGUAGE_HEAD, EXPERT_HEAD)}


def _time_mlp(name: str, *, adaptive: bool) -> str:
    if adaptive and name.startswith("action_time_mlp_"):
        return name.removeprefix("action_")
    if not adaptive and name.startswith("time_mlp_"):
        return f"action_{name}"
    return name


def check_names(
    path: Path, expected: Mapping[str, tuple[int, ...]], found: Mapping[str, tuple[int, ...]]
) -> None:
    """Refuse a file whose tensors are not the model's.

    Raises:
        CheckpointError: Naming the tensors.
    """
    _refuse(path, "missing", sorted(set(expected) - set(found)))
    _refuse(path, "unexpected", sorted(set(found) - set(expected)))
    pairs = ((name, found[name], shape) for name, shape in expected.items())
    wrong = [f"{name} {have}, expected {want}" for name, have, want in pairs if have != want]
    _refuse(path, "wrongly shaped", wrong)


def stored_type(name: str, dtype: torch.dtype) -> torch.dtype:
    """The type of a tensor in a model of a type: in bfloat16, vision, norms and projections stay float32."""
    inner = name.startswith("paligemma_with_expert.")
    return dtype if inner and not any(part in name for part in SINGLE_PRECISION) else torch.float32


def write_model(
    directory: Path,
    model: Pi0,
    weights: Mapping[str, Tensor] | None = None,
    dtype: torch.dtype = torch.float32,
    *,
    language_heads: bool = True,
) -> None:
    """Write model.safetensors so that LeRobot's strict loader takes it.

    Args:
        directory: The checkpoint.
        model: Gives names, shapes and, without `weights`, the numbers.
        weights: Other numbers for the same names (an average); each may be made when it is asked for.
        dtype: Type of the file; bfloat16 as LeRobot has it, with float32 parts.
        language_heads: Also write the two unused heads, which LeRobot's model has: the language model's is
            its embedding, the expert's is zero.
    """
    named = model.state_dict()
    state: Mapping[str, Tensor] = named if weights is None else weights
    plan = {
        PREFIX + name: Planned(tuple(tensor.shape), stored_type(name, dtype))
        for name, tensor in named.items()
    }
    if language_heads:
        plan[PREFIX + LANGUAGE_HEAD] = plan[PREFIX + EMBEDDING]
        plan[PREFIX + EXPERT_HEAD] = Planned((model.sizes.vocabulary, model.sizes.expert.width), dtype)

    def coming() -> Iterator[tuple[str, Tensor]]:
        for name in plan:
            inner = name.removeprefix(PREFIX)
            if inner == EXPERT_HEAD:
                yield name, torch.zeros(1).expand(plan[name].shape)
            else:
                yield name, state[EMBEDDING if inner == LANGUAGE_HEAD else inner]

    write_stream(directory / WEIGHTS_FILE, plan, coming())


def _build(
    directory: Path, config: Pi0Config, sidecar: Sidecar, shapes: Mapping[str, tuple[int, ...]]
) -> Pi0:
    """The model without memory, in the sizes that the file shows."""
    heads = ((sidecar.towers or {}).get("vision") or {}).get("num_attention_heads")
    try:
        sizes = read_sizes(shapes, heads)
    except CheckpointError as error:
        raise CheckpointError(directory / WEIGHTS_FILE, error.field, error.expectation) from error
    side = sizes.vision.side
    if tuple(config.image_resolution) != (side, side):
        raise CheckpointError(
            directory / CONFIG_FILE,
            "image_resolution",
            f"is {list(config.image_resolution)}, the vision tower in the weights takes {side}x{side}",
        )
    return meta_model(config, sizes)


def meta_model(config: Pi0Config, sizes: Pi0Sizes) -> Pi0:
    """A model without memory: names and shapes."""
    with empty_model():
        return Pi0(config, sizes)


def _refuse(file: Path, what: str, names: Sequence[str]) -> None:
    if names:
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        raise CheckpointError(file, "; ".join(names[:SHOWN]) + more, f"{len(names)} {what} tensors")
