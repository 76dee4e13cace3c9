# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""LeRobot's policy_preprocessor.json and policy_postprocessor.json with their state files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from torch import Tensor

from lbm_policy_node.policies.checkpoint.errors import CheckpointError
from lbm_policy_node.policies.checkpoint.features import Feature, parse_features
from lbm_policy_node.policies.checkpoint.field_types import check_types, is_sequence_of
from lbm_policy_node.policies.checkpoint.files import read_json, write_json
from lbm_policy_node.policies.checkpoint.tensor_files import read_tensors, write_tensors
from lbm_policy_node.policies.normalization import Normalizer, Stats

PREPROCESSOR, POSTPROCESSOR = "policy_preprocessor", "policy_postprocessor"
RENAME, BATCH, TOKENIZE, DEVICE, NORMALIZE, UNNORMALIZE = (
    "rename_observations_processor",
    "to_batch_processor",
    "tokenizer_processor",
    "device_processor",
    "normalizer_processor",
    "unnormalizer_processor",
)
STEP_FIELDS = {
    RENAME: {"rename_map"},
    BATCH: set(),
    TOKENIZE: {"max_length", "task_key", "padding_side", "padding", "truncation", "tokenizer_name"},
    DEVICE: {"device", "float_dtype"},
    NORMALIZE: {"eps", "features", "norm_map", "normalize_observation_keys"},
    UNNORMALIZE: {"eps", "features", "norm_map"},
}


@dataclass(frozen=True)
class TokenizerStep:
    """How the instruction becomes token ids; field names are LeRobot's."""

    max_length: int = 77
    task_key: str = "task"
    padding_side: str = "right"
    padding: str = "max_length"
    truncation: bool = True
    tokenizer_name: str = "tokenizer"

    def __post_init__(self) -> None:
        check_types(self)
        if self.padding_side != "right":
            raise CheckpointError("", "padding_side", f"is {self.padding_side!r}, expected 'right'")
        if self.padding not in ("max_length", "longest", "do_not_pad"):
            raise CheckpointError(
                "", "padding", f"is {self.padding!r}, expected max_length, longest or do_not_pad"
            )
        if self.max_length < 2:
            raise CheckpointError("", "max_length", f"is {self.max_length!r}, expected at least 2")


@dataclass(frozen=True)
class Processors:
    """Everything around the network: names, tokens and normalisation."""

    tokenizer: TokenizerStep
    inputs: Normalizer
    outputs: Normalizer
    rename_map: Mapping[str, str] = field(default_factory=dict)
    """Name of an observation as it arrives to the feature's name in config.json."""


def read_processors(directory: Path, action_steps: int | None = None) -> Processors:
    """Read both pipelines.

    Args:
        directory: The checkpoint.
        action_steps: The horizon, where action statistics are per time step.

    Raises:
        CheckpointError: A missing file or step, an unknown step or setting, missing or misshapen statistics.
    """
    pre = Pipeline(directory, PREPROCESSOR, known_steps(RENAME, BATCH, TOKENIZE, DEVICE, NORMALIZE))
    post = Pipeline(directory, POSTPROCESSOR, known_steps(UNNORMALIZE, DEVICE))
    return Processors(
        tokenizer=pre.tokenizer(),
        inputs=pre.normalizer(NORMALIZE, action_steps),
        outputs=post.normalizer(UNNORMALIZE, action_steps),
        rename_map=pre.rename_map(),
    )


def known_steps(*names: str) -> dict[str, set[str]]:
    """The settings of steps that several policies have, by step."""
    return {name: STEP_FIELDS[name] for name in names}


class Pipeline:
    """One pipeline file: its steps by name, each checked to be known."""

    def __init__(self, directory: Path, name: str, known: Mapping[str, set[str]]) -> None:
        """Read a file; `known` has the settings of each step that may be in it.

        Raises:
            CheckpointError: An unknown step or setting, a step that appears twice.
        """
        self._directory = directory
        self._file = directory / f"{name}.json"
        self._steps: dict[str, dict[str, Any]] = {}
        for step in self._read_steps():
            kind = step.get("registry_name")
            if not isinstance(kind, str) or kind not in known:
                raise CheckpointError(
                    self._file, str(kind), f"unknown processor step, expected {tuple(known)}"
                )
            if kind in self._steps:
                raise CheckpointError(self._file, kind, "appears twice")
            unknown = sorted(set(step.get("config", {})) - known[kind])
            if unknown:
                raise CheckpointError(self._file, f"{kind}.{', '.join(unknown)}", "unknown setting")
            self._steps[kind] = step
        if self.config(DEVICE, optional=True).get("float_dtype") is not None:
            raise CheckpointError(self._file, f"{DEVICE}.float_dtype", "is set, expected null")
        if self.config(NORMALIZE, optional=True).get("normalize_observation_keys") is not None:
            raise CheckpointError(
                self._file, f"{NORMALIZE}.normalize_observation_keys", "is set, expected null"
            )

    def _read_steps(self) -> list[dict[str, Any]]:
        """The steps, each with a mapping of settings."""
        steps = read_json(self._file).get("steps")
        if not is_sequence_of(steps, dict):
            raise CheckpointError(self._file, "steps", f"is {steps!r}, expected a list of processor steps")
        for step in steps or ():
            if not isinstance(step.get("config", {}), dict):
                raise CheckpointError(self._file, f"{step.get('registry_name')}.config", "is not a mapping")
        return list(steps or ())

    def config(self, kind: str, *, optional: bool = False) -> dict[str, Any]:
        """The settings of a step."""
        if kind not in self._steps and not optional:
            raise CheckpointError(self._file, kind, "this processor step is missing")
        return self._steps.get(kind, {}).get("config", {})

    def rename_map(self) -> dict[str, str]:
        """The renaming step's names."""
        names = self.config(RENAME, optional=True).get("rename_map", {})
        if not isinstance(names, dict) or not is_sequence_of(list(names.values()), str):
            raise CheckpointError(
                self._file, f"{RENAME}.rename_map", f"is {names!r}, expected names to names"
            )
        return names

    def tokenizer(self) -> TokenizerStep:
        """The tokenizer step."""
        try:
            return TokenizerStep(**self.config(TOKENIZE))
        except CheckpointError as error:
            raise CheckpointError(self._file, f"{TOKENIZE}.{error.field}", error.expectation) from error

    def normalizer(self, kind: str, action_steps: int | None) -> Normalizer:
        """The (un)normaliser step with its statistics."""
        config = self.config(kind)
        features = parse_features(config.get("features"), f"{kind}.features", str(self._file))
        path = self._directory / str(self._steps[kind].get("state_file"))
        stats = unflatten_stats(read_tensors(path))
        try:
            return Normalizer(
                features, config.get("norm_map", {}), stats, config.get("eps", 1e-8), action_steps
            )
        except CheckpointError as error:
            raise CheckpointError(path, error.field, error.expectation) from error


def unflatten_stats(tensors: Mapping[str, Tensor]) -> Stats:
    """ "<feature>.<statistic>" to nested mappings; the feature's name may hold dots."""
    stats: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        key, _, stat = name.rpartition(".")
        stats.setdefault(key, {})[stat] = tensor
    return stats


def write_processors(directory: Path, processors: Processors) -> None:
    """Write both pipelines and their statistics as LeRobot does."""
    state = {f"{k}.{s}": t for k, entry in processors.inputs.stats.items() for s, t in entry.items()}
    pre_state = f"{PREPROCESSOR}_step_4_{NORMALIZE}.safetensors"
    post_state = f"{POSTPROCESSOR}_step_0_{UNNORMALIZE}.safetensors"
    tokenizer = {f.name: getattr(processors.tokenizer, f.name) for f in fields(TokenizerStep)}
    artifacts = {"tokenizer_name": processors.tokenizer.tokenizer_name}
    device = {"device": "cpu", "float_dtype": None}
    pre = [
        {"registry_name": RENAME, "config": {"rename_map": dict(processors.rename_map)}},
        {"registry_name": BATCH, "config": {}},
        {"registry_name": TOKENIZE, "config": tokenizer, "artifacts": artifacts},
        {"registry_name": DEVICE, "config": device},
        {
            "registry_name": NORMALIZE,
            "config": normalizer_settings(processors.inputs),
            "state_file": pre_state,
        },
    ]
    post = [
        {
            "registry_name": UNNORMALIZE,
            "config": normalizer_settings(processors.outputs),
            "state_file": post_state,
        },
        {"registry_name": DEVICE, "config": device},
    ]
    write_json(directory / f"{PREPROCESSOR}.json", {"name": PREPROCESSOR, "steps": pre}, indent=2)
    write_json(directory / f"{POSTPROCESSOR}.json", {"name": POSTPROCESSOR, "steps": post}, indent=2)
    write_tensors(directory / pre_state, state)
    write_tensors(directory / post_state, state)


def normalizer_settings(normalizer: Normalizer) -> dict[str, Any]:
    """A normaliser's settings as its step has them."""
    features = {key: Feature.to_dict(feature) for key, feature in normalizer.features.items()}
    return {"eps": normalizer.eps, "features": features, "norm_map": dict(normalizer.norm_map)}
