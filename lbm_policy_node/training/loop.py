# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The training loop; through accelerate it spans processes, GPUs and machines."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from lbm_policy_node.data.datasets.dataset_reader import Dataset
from lbm_policy_node.policies.checkpoint.features import ACTION_KEY, STATE_KEY
from lbm_policy_node.policies.checkpoint.sidecar import Sidecar
from lbm_policy_node.training.average import averaged
from lbm_policy_node.training.config import ModelSize, PolicyChoice, TrainConfig
from lbm_policy_node.training.make_subject import chosen_kind, make_subject
from lbm_policy_node.training.progress import Progress
from lbm_policy_node.training.remembering import remembered
from lbm_policy_node.training.resume import check_settings, load_state, save_state
from lbm_policy_node.training.samples import BatchStream
from lbm_policy_node.training.subject import OptimizerSettings, Subject
from lbm_policy_node.training.weighting import dataset_weights

DIT = PolicyChoice()
MakeSubject = Callable[[], Subject]


def train(
    dataset: Dataset,
    out: Path,
    config: TrainConfig,
    size: ModelSize,
    *,
    choice: PolicyChoice = DIT,
    device: str = "auto",
    stop_after: int | None = None,
) -> Path:
    """Train a policy, or go on with the run in `out`.

    Writes checkpoints/<step>/ (LeRobot directories with the averaged weights), resume/ and loss.png into
    `out`.

    Args:
        dataset: What to learn from.
        out: Folder of the run.
        config: How to train.
        size: Shape of a new model.
        choice: Which policy, and from what.
        device: "auto" or "cpu".
        stop_after: Leave the run after this step, to be resumed: for time-limited machines.

    Returns:
        The last checkpoint's directory.

    Raises:
        ResumeError: If `out` holds a run with other settings.
        DatasetError: If the weights or the memory ask who drove and the dataset does not say.
        CheckpointError: If the checkpoint to fine-tune cannot be used.
    """
    # These may refuse: before the run's settings are written.
    dataset = remembered(dataset, config.memory, config.cap, seed=config.seed)
    weights = dataset_weights(dataset, config.weights)
    chosen_kind(choice)
    accelerator = Accelerator(mixed_precision=_precision(config, device), cpu=device == "cpu")
    if accelerator.is_main_process:
        check_settings(out / "resume", config, size, choice, str(dataset.root), accelerator.num_processes)
    accelerator.wait_for_everyone()
    torch.manual_seed(config.seed)
    run = _Run(
        dataset, out, config, accelerator, lambda: make_subject(dataset, config, size, choice, weights)
    )
    return run.proceed(min(config.steps, stop_after or config.steps))


class _Run:
    def __init__(
        self, dataset: Dataset, out: Path, config: TrainConfig, accelerator: Accelerator, make: MakeSubject
    ) -> None:
        self.dataset, self.out, self.config, self.accelerator = dataset, out, config, accelerator
        with accelerator.main_process_first():  # the first one decodes the videos
            self.subject = make()
        learner = self.subject.learner
        optimizer = make_optimizer(learner, config, self.subject.optimizer)
        average = averaged(learner.policy, config.ema_decay)
        self.done = load_state(out / "resume", learner, average.module, optimizer)
        self.average = average.to(accelerator.device)
        self.average.n_averaged.fill_(self.done)
        self.model, self.optimizer = accelerator.prepare(learner, optimizer)
        self.stream = BatchStream(
            self.subject.samples,
            batch_size=config.batch_size,
            seed=config.seed,
            rank=accelerator.process_index,
            world=accelerator.num_processes,
        )

    def proceed(self, stop: int) -> Path:
        """Run until `stop` steps are done."""
        config, main = self.config, self.accelerator.is_main_process
        progress = Progress(
            self.out, start=self.done, steps=config.steps, every=config.log_every, active=main
        )
        for batch in self.stream.batches(self.done, stop):
            loss, rate = self._step(batch), self.optimizer.param_groups[0]["lr"]
            self.done += 1
            progress.update(self.done, loss, rate)
            if main and (self.done % config.checkpoint_every == 0 or self.done == stop):
                self._save()
        progress.close()
        return self._checkpoint_folder()

    def _step(self, batch: dict) -> float:
        config, rank = self.config, self.accelerator.process_index
        torch.manual_seed(hash((config.seed, self.done, rank)) % 2**63)
        for group in self.optimizer.param_groups:
            group["lr"] = group["scale"] * learning_rate(self.done, config)
        self.model.train()
        inputs = self.subject.inputs(batch, self.accelerator.device)
        with self._attention():
            with self.accelerator.autocast():
                loss, shown = self.model(inputs, draws=config.draws)
            self.accelerator.backward(loss)
        self.accelerator.clip_grad_norm_(self.model.parameters(), config.clip_norm)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.average.update_parameters(self.accelerator.unwrap_model(self.model).policy)
        return float(shown)

    def _attention(self) -> AbstractContextManager[object]:
        """In bfloat16 on a CPU the fused kernel's backward pass takes half of a step; avoid it there.

        Seconds of CPU per step with torch 2.13: bfloat16 1.95 fused, 1.04 plain; float32 1.45 and 1.57.
        """
        slow = self.accelerator.device.type == "cpu" and self.accelerator.mixed_precision == "bf16"
        return sdpa_kernel(SDPBackend.MATH) if slow else nullcontext()

    def _save(self) -> None:
        model = self.accelerator.unwrap_model(self.model)
        write_checkpoint(self._checkpoint_folder(), self.average.module, self)
        save_state(self.out / "resume", self.done, model, self.average.module, self.optimizer.optimizer)

    def _checkpoint_folder(self) -> Path:
        return self.out / "checkpoints" / f"{self.done:06d}"


def write_checkpoint(folder: Path, model: nn.Module, run: _Run) -> None:
    """Write a checkpoint of a run with the names and the rate of its dataset."""
    vectors = run.dataset.features.vectors
    provenance = {
        "dataset": run.dataset.root.name,
        "episodes": len(run.dataset.episodes),
        "steps": run.done,
        "processes": run.accelerator.num_processes,
        "training": asdict(run.config),
    }
    sidecar = Sidecar(
        step_s=1.0 / run.dataset.fps,
        state_names=tuple(vectors[STATE_KEY]),
        action_names=tuple(vectors[ACTION_KEY]),
        provenance=provenance,
    )
    run.subject.write(folder, model, sidecar, run.config.storage)


def make_optimizer(
    model: nn.Module, config: TrainConfig, settings: OptimizerSettings
) -> torch.optim.Optimizer:
    """AdamW or Adam over what learns, with the reference's betas and its separate rates."""
    named = [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad]
    groups, scaled = [], set()
    for part, scale in settings.scales.items():
        own = {name: parameter for name, parameter in named if part in name}
        groups.append({"params": list(own.values()), "scale": scale})
        scaled |= set(own)
    groups.insert(0, {"params": [p for name, p in named if name not in scaled], "scale": 1.0})
    kind = torch.optim.AdamW if config.optimizer == "adamw" else torch.optim.Adam
    decay = config.weight_decay if config.optimizer == "adamw" else 0.0
    return kind(groups, lr=config.learning_rate, betas=settings.betas, eps=1e-8, weight_decay=decay)


def learning_rate(step: int, config: TrainConfig) -> float:
    """Linear warm-up, then a cosine to zero at the last step."""
    if step < config.warmup_steps:
        return config.learning_rate * (step + 1) / config.warmup_steps
    share = (step - config.warmup_steps) / max(1, config.steps - config.warmup_steps)
    return config.learning_rate * 0.5 * (1.0 + math.cos(math.pi * min(1.0, share)))


def _precision(config: TrainConfig, device: str) -> str:
    cuda = device != "cpu" and torch.cuda.is_available()
    precisions = {"auto": "bf16" if cuda else "no", "fp32": "no", "bf16": "bf16"}
    return precisions[config.precision]
