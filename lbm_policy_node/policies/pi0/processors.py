# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The processor files of pi0 and pi0.5: LeRobot's steps around the network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lbm_policy_node.policies.checkpoint.errors import CheckpointError
from lbm_policy_node.policies.checkpoint.field_types import is_sequence_of
from lbm_policy_node.policies.checkpoint.files import write_json
from lbm_policy_node.policies.checkpoint.processor_files import (
    BATCH,
    DEVICE,
    NORMALIZE,
    POSTPROCESSOR,
    PREPROCESSOR,
    RENAME,
    TOKENIZE,
    UNNORMALIZE,
    Pipeline,
    Processors,
    TokenizerStep,
    known_steps,
    normalizer_settings,
)
from lbm_policy_node.policies.checkpoint.tensor_files import write_tensors
from lbm_policy_node.policies.normalization import Normalizer
from lbm_policy_node.policies.pi0.config import Pi0Config
from lbm_policy_node.policies.pi0.relative import RelativeActions

NEW_LINE = "pi0_new_line_processor"
STATE_PROMPT = "pi05_prepare_state_tokenizer_processor_step"
RELATIVE = "relative_actions_processor"
ABSOLUTE = "absolute_actions_processor"
PROMPT_STEP = {"pi0": NEW_LINE, "pi05": STATE_PROMPT}
OWN_STEPS = {
    NEW_LINE: set[str](),
    STATE_PROMPT: {"max_state_dim", "task_key", "include_state_in_prompt"},
    RELATIVE: {"enabled", "exclude_joints", "action_names"},
}
OUTPUT_STEPS = {ABSOLUTE: {"enabled"}}
ORDER = {
    "pi0": (RENAME, BATCH, NEW_LINE, TOKENIZE, DEVICE, RELATIVE, NORMALIZE),
    "pi05": (RENAME, BATCH, RELATIVE, NORMALIZE, STATE_PROMPT, TOKENIZE, DEVICE),
}


@dataclass(frozen=True)
class Pi0Processors(Processors):
    """Everything around the network: names, prompt, normalisation, relative actions."""

    relative: RelativeActions = field(default_factory=RelativeActions)


def read_pi0_processors(directory: Path, config: Pi0Config) -> Pi0Processors:
    """Read both pipelines.

    Raises:
        CheckpointError: A missing file or step, an unknown step or setting, missing or misshapen statistics,
            another policy's prompt step.
    """
    steps = known_steps(RENAME, BATCH, TOKENIZE, DEVICE, NORMALIZE)
    pre = Pipeline(directory, PREPROCESSOR, {**steps, **OWN_STEPS})
    post = Pipeline(directory, POSTPROCESSOR, {**known_steps(UNNORMALIZE, DEVICE), **OUTPUT_STEPS})
    prompt = pre.config(PROMPT_STEP[config.kind])
    if prompt.get("include_state_in_prompt", True) is not True:
        raise CheckpointError(directory, f"{STATE_PROMPT}.include_state_in_prompt", "is false, expected true")
    relative = _relative(directory, pre, post)
    relative.check(config.state_dim, config.action_dim)
    return Pi0Processors(
        tokenizer=pre.tokenizer(),
        inputs=pre.normalizer(NORMALIZE, None),
        outputs=post.normalizer(UNNORMALIZE, None),
        rename_map=pre.rename_map(),
        relative=relative,
    )


def make_pi0_processors(config: Pi0Config, stats: Mapping[str, Mapping[str, Any]]) -> Pi0Processors:
    """The processors of a new model, with the settings of its config.json.

    Raises:
        CheckpointError: Missing or misshapen statistics.
    """
    ready = {
        key: {name: torch.as_tensor(value, dtype=torch.float32) for name, value in entry.items()}
        for key, entry in stats.items()
    }
    names = config.action_feature_names
    return Pi0Processors(
        tokenizer=TokenizerStep(max_length=config.tokenizer_max_length),
        inputs=Normalizer(
            {**config.input_features, **config.output_features}, config.normalization_mapping, ready
        ),
        outputs=Normalizer(config.output_features, config.normalization_mapping, ready),
        relative=RelativeActions(config.use_relative_actions, config.relative_exclude_joints, names),
    )


def write_pi0_processors(directory: Path, config: Pi0Config, processors: Pi0Processors) -> None:
    """Write both pipelines and their statistics as LeRobot does."""
    order = ORDER[config.kind]
    pre_state = f"{PREPROCESSOR}_step_{order.index(NORMALIZE)}_{NORMALIZE}.safetensors"
    post_state = f"{POSTPROCESSOR}_step_0_{UNNORMALIZE}.safetensors"
    settings = _settings(config, processors)
    pre: list[dict[str, Any]] = [{"registry_name": name, "config": settings[name]} for name in order]
    pre[order.index(NORMALIZE)]["state_file"] = pre_state
    pre[order.index(TOKENIZE)]["artifacts"] = {"tokenizer_name": processors.tokenizer.tokenizer_name}
    post = [
        {
            "registry_name": UNNORMALIZE,
            "config": normalizer_settings(processors.outputs),
            "state_file": post_state,
        },
        {"registry_name": ABSOLUTE, "config": {"enabled": processors.relative.enabled}},
        {"registry_name": DEVICE, "config": settings[DEVICE]},
    ]
    write_json(directory / f"{PREPROCESSOR}.json", {"name": PREPROCESSOR, "steps": pre}, indent=2)
    write_json(directory / f"{POSTPROCESSOR}.json", {"name": POSTPROCESSOR, "steps": post}, indent=2)
    for file in (pre_state, post_state):
        write_tensors(directory / file, _state(processors.inputs))


def _settings(config: Pi0Config, processors: Pi0Processors) -> dict[str, dict[str, Any]]:
    """The settings of every step of the preprocessor."""
    relative, names = processors.relative, processors.relative.action_names
    return {
        RENAME: {"rename_map": dict(processors.rename_map)},
        BATCH: {},
        NEW_LINE: {},
        STATE_PROMPT: {},
        TOKENIZE: {f.name: getattr(processors.tokenizer, f.name) for f in fields(TokenizerStep)},
        DEVICE: {"device": "cpu", "float_dtype": None},
        RELATIVE: {
            "enabled": relative.enabled,
            "exclude_joints": list(relative.exclude_joints),
            "action_names": None if names is None else list(names),
        },
        NORMALIZE: normalizer_settings(processors.inputs),
    }


def _state(normalizer: Normalizer) -> dict[str, Tensor]:
    return {
        f"{key}.{name}": value for key, entry in normalizer.stats.items() for name, value in entry.items()
    }


def _relative(directory: Path, pre: Pipeline, post: Pipeline) -> RelativeActions:
    """The relative-action step, which older checkpoints lack; both pipelines must agree."""
    settings, back = pre.config(RELATIVE, optional=True), post.config(ABSOLUTE, optional=True)
    enabled = settings.get("enabled", False)
    if enabled is not back.get("enabled", False):
        raise CheckpointError(
            directory, f"{ABSOLUTE}.enabled", f"is {back.get('enabled')}, {RELATIVE}.enabled is {enabled}"
        )
    excluded, names = settings.get("exclude_joints") or [], settings.get("action_names")
    for name, value in (("exclude_joints", excluded), ("action_names", names)):
        if value is not None and not is_sequence_of(value, str):
            raise CheckpointError(directory, f"{RELATIVE}.{name}", f"is {value!r}, expected a list of names")
    return RelativeActions(bool(enabled), tuple(excluded), None if names is None else tuple(names))
