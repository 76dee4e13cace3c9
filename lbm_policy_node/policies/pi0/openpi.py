# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""openpi's PyTorch checkpoints: what they hold, and what they leave to openpi's code, as a LeRobot directory.

A folder of openpi holds model.safetensors (the same module tree without "model."), the statistics in
assets/<id>/norm_stats.json and, if it was converted from JAX, a config.json with the horizon. Cameras, the
widths of state and action and relative actions are in openpi's training configuration only, so the user must
name them.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from lbm_policy_node.policies.checkpoint.errors import CheckpointError
from lbm_policy_node.policies.checkpoint.features import ACTION_KEY, STATE_KEY, Feature
from lbm_policy_node.policies.checkpoint.files import CONFIG_FILE, WEIGHTS_FILE, read_json, write_json
from lbm_policy_node.policies.checkpoint.sidecar import Sidecar, write_sidecar
from lbm_policy_node.policies.checkpoint.tensor_stream import TensorReader
from lbm_policy_node.policies.normalization import REQUIRED_STATS
from lbm_policy_node.policies.pi0.config import PI05_DEFAULTS, Pi0Config
from lbm_policy_node.policies.pi0.processors import make_pi0_processors, write_pi0_processors
from lbm_policy_node.policies.pi0.sizes import EXPERT, read_sizes
from lbm_policy_node.policies.pi0.weights import EMBEDDING, check_names, meta_model, stored_names
from lbm_policy_node.policies.tokenizer import TOKENIZER_FOLDER

STATS_FILE = "norm_stats.json"
EPS = 1e-6
"""What openpi adds to standard deviations and ranges, in both directions."""


@dataclass(frozen=True)
class OpenpiFacts:
    """What an openpi checkpoint does not say about itself."""

    cameras: Mapping[str, tuple[int, int]]
    """Feature key to (height, width), in openpi's order: base, left wrist, right wrist."""
    state_dim: int | None = None
    """Width of the robot's state; None: of the statistics."""
    action_dim: int | None = None
    """Width of the robot's action; None: of the statistics."""
    horizon: int | None = None
    """Actions per chunk; None: from openpi's config.json."""
    asset: str | None = None
    """Folder in assets/ whose statistics to take, if there are several."""
    action_names: tuple[str, ...] | None = None
    """Names of the action columns."""
    relative: bool = False
    """Trained with openpi's DeltaActions: all columns but grippers are relative to the state."""
    vision_heads: int | None = None
    """Attention heads of a vision tower of unpublished size."""
    tokenizer: Path | None = None
    """Folder with PaliGemma's tokenizer.json, to be copied along."""


def import_openpi(source: Path, out: Path, facts: OpenpiFacts) -> Path:
    """Write a LeRobot directory; the weights are linked, or copied across file systems, as they are.

    Returns:
        `out`.

    Raises:
        CheckpointError: Something is missing, or tensors and facts do not fit each other.
    """
    settings = read_json(source / CONFIG_FILE) if (source / CONFIG_FILE).exists() else {}
    stats = _read_stats(source, facts.asset)
    config = _config(source, settings, stats, facts)
    processors = make_pi0_processors(config, _with_eps(stats, config))
    exact = {"eps": 0.0}
    processors = replace(
        processors,
        inputs=replace(processors.inputs, **exact),
        outputs=replace(processors.outputs, **exact),
    )
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / CONFIG_FILE, config.to_dict())
    write_pi0_processors(out, config, processors)
    towers = {"vision": {"num_attention_heads": facts.vision_heads}} if facts.vision_heads else None
    origin = {"imported from": "openpi"}
    write_sidecar(out, Sidecar(action_names=facts.action_names, towers=towers, provenance=origin))
    _link(source / WEIGHTS_FILE, out / WEIGHTS_FILE)
    if facts.tokenizer is not None:
        shutil.copytree(facts.tokenizer, out / TOKENIZER_FOLDER, dirs_exist_ok=True)
    return out


def _config(
    source: Path, settings: Mapping[str, Any], stats: Mapping[str, Mapping[str, Any]], facts: OpenpiFacts
) -> Pi0Config:
    """The configuration that the tensors and the facts give together; the tensors are checked against it."""
    horizon = facts.horizon or settings.get("action_horizon")
    if horizon is None:
        raise CheckpointError(source / CONFIG_FILE, "action_horizon", "is missing; give the horizon")
    widths = {
        STATE_KEY: facts.state_dim or len(stats["state"]["mean"]),
        ACTION_KEY: facts.action_dim or len(stats["actions"]["mean"]),
    }
    cameras = {key: Feature("VISUAL", (3, *size)) for key, size in facts.cameras.items()}
    with TensorReader(source / WEIGHTS_FILE) as reader:
        kind = "pi05" if any(name.startswith(f"{EXPERT}norm.dense.") for name in _bare(reader)) else "pi0"
        config = Pi0Config(
            kind=kind,
            input_features={STATE_KEY: Feature("STATE", (widths[STATE_KEY],)), **cameras},
            output_features={ACTION_KEY: Feature("ACTION", (widths[ACTION_KEY],))},
            chunk_size=horizon,
            n_action_steps=horizon,
            use_relative_actions=facts.relative,
            action_feature_names=facts.action_names,
            push_to_hub=False,
            **(PI05_DEFAULTS if kind == "pi05" else {}),
        )
        sources = stored_names(reader.entries, config)
        shapes = {name: reader.entries[stored].shape for name, stored in sources.items()}
        sizes = read_sizes(shapes, facts.vision_heads)
        half = reader.entries[sources[EMBEDDING]].dtype == torch.bfloat16
        config = replace(
            config,
            dtype="bfloat16" if half else "float32",
            image_resolution=(sizes.vision.side, sizes.vision.side),
        )
        expected = meta_model(config, sizes).state_dict()
        check_names(reader.path, {name: tuple(t.shape) for name, t in expected.items()}, shapes)
    return config


def _bare(reader: TensorReader) -> list[str]:
    return [name.removeprefix("model.") for name in reader.entries]


def _read_stats(source: Path, asset: str | None) -> dict[str, dict[str, Any]]:
    files: Sequence[Path] = sorted((source / "assets").glob(f"{asset or '**'}/{STATS_FILE}"))
    if len(files) != 1:
        found = [str(file.relative_to(source)) for file in files]
        raise CheckpointError(
            source / "assets",
            STATS_FILE,
            f"expected one; there are {found}; name the asset if there are several",
        )
    stats = read_json(files[0]).get("norm_stats")
    for name in ("state", "actions"):
        if not isinstance(stats, dict) or not isinstance(stats.get(name), dict) or "mean" not in stats[name]:
            raise CheckpointError(files[0], f"norm_stats.{name}", "is missing")
    assert isinstance(stats, dict)
    return stats


def _with_eps(stats: Mapping[str, Mapping[str, Any]], config: Pi0Config) -> dict[str, dict[str, Any]]:
    """The statistics with openpi's eps inside, so that LeRobot's formulas with eps 0 give openpi's."""
    result = {}
    for theirs, key, width in (
        ("state", STATE_KEY, config.state_dim),
        ("actions", ACTION_KEY, config.action_dim),
    ):
        feature = {**config.input_features, **config.output_features}[key]
        needed = REQUIRED_STATS[config.normalization_mapping[feature.type]]
        values = {name: stats[theirs].get(name) for name in needed}
        for name, value in values.items():
            if value is None or len(value) < width:
                raise CheckpointError(
                    "", f"norm_stats.{theirs}.{name}", f"is {value}, expected {width} numbers"
                )
        result[key] = {
            name: torch.tensor(value[:width], dtype=torch.float64) + (EPS if name in ("std", "q99") else 0.0)
            for name, value in values.items()
            if value is not None
        }
    return result


def _link(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copyfile(source, target)
