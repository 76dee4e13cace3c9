# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The state of an interrupted run: weights, their average, and the optimiser's moments, as safetensors."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from lbm_policy_node.training.config import ModelSize, PolicyChoice, TrainConfig
from lbm_policy_node.training.subject import Trainee

STATE_FILE, SETTINGS_FILE = "state.safetensors", "settings.json"
_MAY_CHANGE = (
    *("steps", "checkpoint_every", "log_every", "precision", "storage", "processes"),
    *("goal_weight", "learning_rate", "n_action_steps", "gradient_checkpointing"),
)
_BEFORE = {"weights": "none", "memory": "all", "cap": 0, **asdict(PolicyChoice())}
"""What runs did that began before these settings existed."""


class ResumeError(ValueError):
    """A run that cannot go on as asked."""


def save_state(
    folder: Path, step: int, learner: Trainee, average: nn.Module, optimizer: torch.optim.Optimizer
) -> None:
    """Write what a run needs to go on after `step` steps; the old state stays until the new one is whole."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {f"model.{name}": value for name, value in learner.policy.state_dict().items()}
    if learner.head is not None:
        tensors |= {f"head.{name}": value for name, value in learner.head.state_dict().items()}
    if average is not learner.policy:
        tensors |= {f"average.{name}": value for name, value in average.state_dict().items()}
    for name, parameter in _parameters(learner).items():
        for moment, value in optimizer.state.get(parameter, {}).items():
            tensors[f"optimizer.{moment}.{name}"] = value
    tensors["step"] = torch.tensor(step)
    partial = folder / (STATE_FILE + ".partial")
    save_file({name: value.detach().cpu().contiguous() for name, value in tensors.items()}, partial)
    partial.replace(folder / STATE_FILE)


def load_state(folder: Path, learner: Trainee, average: nn.Module, optimizer: torch.optim.Optimizer) -> int:
    """Restore a run; returns the number of steps done, 0 if there is nothing to resume.

    A goal head that the run did not have before starts with new weights; one no longer trained is left out.
    """
    path = folder / STATE_FILE
    if not path.exists():
        return 0
    tensors = load_file(path)
    learner.policy.load_state_dict(_part(tensors, "model."))
    if learner.head is not None and (head := _part(tensors, "head.")):
        learner.head.load_state_dict(head)
    if average is not learner.policy:
        average.load_state_dict(_part(tensors, "average."))
    parameters = _parameters(learner)
    for key, value in _part(tensors, "optimizer.").items():
        moment, name = key.split(".", 1)
        if name not in parameters:
            continue
        place = value if moment == "step" else value.to(parameters[name].device)
        optimizer.state[parameters[name]][moment] = place
    return int(tensors["step"])


def check_settings(
    folder: Path, train: TrainConfig, size: ModelSize, choice: PolicyChoice, dataset: str, processes: int
) -> None:
    """Write the settings of a new run, or refuse to resume one under other settings.

    Raises:
        ResumeError: With the settings that differ.
    """
    now = {**asdict(train), **asdict(size), **asdict(choice), "dataset": dataset, "processes": processes}
    path = folder / SETTINGS_FILE
    if path.exists():
        then = {**_BEFORE, **json.loads(path.read_text())}
        fixed = [key for key in now if key not in _MAY_CHANGE and now[key] != then.get(key)]
        changed = [f"{key}: {then.get(key)} then, {now[key]} now" for key in fixed]
        if changed:
            raise ResumeError(f"'{folder}' holds a run with other settings ({'; '.join(changed)})")
    folder.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.partial")
    partial.write_text(json.dumps(now, indent=2) + "\n")
    partial.replace(path)


def _parameters(learner: Trainee) -> dict[str, nn.Parameter]:
    """The policy's parameters under its own names, and those of the head."""
    named = dict(learner.policy.named_parameters())
    if learner.head is not None:
        named |= {f"head.{name}": parameter for name, parameter in learner.head.named_parameters()}
    return named


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
