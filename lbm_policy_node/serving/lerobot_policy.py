# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A policy that lives in LeRobot itself (ACT, SmolVLA, ...), behind the policy seam.

Runs in LeRobot's own environment, through its public functions only: configuration and class by the
checkpoint's type, its pre- and postprocessor, ``predict_action_chunk``. Written for LeRobot 0.6.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lbm_policy_node.core.types import Observation
from lbm_policy_node.policies.checkpoint.errors import CheckpointError
from lbm_policy_node.policies.checkpoint.features import ACTION_KEY, STATE_KEY
from lbm_policy_node.policies.checkpoint.files import CONFIG_FILE, WEIGHTS_FILE, file_id
from lbm_policy_node.policies.checkpoint.sidecar import Sidecar, read_sidecar
from lbm_policy_node.policies.policy import FloatArray, ImageFeature, PolicySpec, check_request
from lbm_policy_node.serving.warm_up import grey_observation

NEEDS_NO_TEXT = frozenset({"act", "diffusion", "tdmpc", "vqbet"})
SEED_STRIDE = 1_000_003
"""Between the seeds of the samples of one inference, so that those of successive seeds do not meet."""


class LeRobotPolicy:
    """Asks a LeRobot policy for whole chunks. One thread at a time may call it."""

    def __init__(self, spec: PolicySpec, policy: Any, processors: tuple[Any, Any], device: str) -> None:
        """Wrap what LeRobot has loaded.

        Args:
            spec: Its horizon and whether it is stochastic are found out by two inferences.
            policy: A PreTrainedPolicy.
            processors: Its preprocessor and postprocessor.
            device: torch device of the policy.
        """
        self._policy, self._device = policy, device
        self._before, self._after = processors
        self.spec = spec

    def infer(
        self,
        history: Sequence[Observation],
        *,
        n_samples: int = 1,
        seed: int = 0,
        prefix: FloatArray | None = None,
    ) -> FloatArray:
        """Predict chunks; see `Policy.infer`. Each sample is an inference of its own."""
        check_request(self.spec, history, n_samples, prefix)
        if not self.spec.stochastic:
            return np.repeat(self.draw(history[-1], seed)[None], n_samples, axis=0)
        return np.stack([self.draw(history[-1], seed + i * SEED_STRIDE) for i in range(n_samples)])

    def describe(self) -> Mapping[str, str]:
        """Facts about the policy, for users."""
        count = sum(parameter.numel() for parameter in self._policy.parameters())
        return {"parameters": f"{count:,}", "runs in": "LeRobot"}

    @torch.inference_mode()
    def draw(self, observation: Observation, seed: int) -> FloatArray:
        """One chunk (horizon, action_dim) in physical units; seeds torch's global generators."""
        torch.manual_seed(seed % 2**63)
        self._policy.reset()
        chunk = self._policy.predict_action_chunk(self._before(self._batch(observation)))
        rows = [self._after(chunk[:, row]) for row in range(chunk.shape[1])]  # it takes single actions
        return torch.stack(rows, dim=1)[0].float().cpu().numpy().astype(np.float64)

    def _batch(self, observation: Observation) -> dict[str, Any]:
        """LeRobot's inputs: images (1, 3, H, W) from 0 to 1, state (1, state_dim), "task"."""
        batch: dict[str, Any] = {"task": observation.instruction, "robot_type": ""}
        for image in self.spec.images:
            pixels = torch.tensor(observation.images[image.key], device=self._device)
            batch[image.key] = (pixels.float() / 255).permute(2, 0, 1)[None].contiguous()
        state: Tensor = torch.tensor(observation.state, device=self._device)
        return {**batch, STATE_KEY: state[None]}


def load_lerobot(path: Path, device: str) -> LeRobotPolicy:
    """Load a LeRobot policy directory.

    Raises:
        CheckpointError: LeRobot is not installed here, or the policy needs what the seam does not give.
    """
    try:
        configs = importlib.import_module("lerobot.configs.policies")
        factory = importlib.import_module("lerobot.policies.factory")
    except ImportError as error:
        text = (
            f"--lerobot needs LeRobot in the environment that runs `lbm serve`, see docs/remote.md ({error})"
        )
        raise CheckpointError(path, "", text) from error
    config = configs.PreTrainedConfig.from_pretrained(path)
    config.device = device
    spec = _spec(path, config)
    policy = factory.get_policy_class(config.type).from_pretrained(path, config=config).to(device).eval()
    processors = factory.make_pre_post_processors(
        config, pretrained_path=str(path), preprocessor_overrides={"device_processor": {"device": device}}
    )
    return LeRobotPolicy(_tried(spec, policy, processors, device), policy, processors, device)


def _spec(path: Path, config: Any) -> PolicySpec:
    """Read the spec from config.json, without the horizon."""
    file, sidecar = path / CONFIG_FILE, read_sidecar(path)
    if config.n_obs_steps != 1:
        text = f"is {config.n_obs_steps}; only policies of one observation step can be served from LeRobot"
        raise CheckpointError(file, "n_obs_steps", text)
    features = {key: tuple(f.shape) for key, f in {**config.input_features, **config.output_features}.items()}
    images = list(config.image_features)
    unknown = set(features) - {*images, STATE_KEY, ACTION_KEY}
    if unknown or STATE_KEY not in features or ACTION_KEY not in features:
        expected = f"expected images, '{STATE_KEY}' and '{ACTION_KEY}'"
        raise CheckpointError(file, "input_features", f"are {sorted(features)}; {expected}")
    (state_dim,), (action_dim,) = features[STATE_KEY], features[ACTION_KEY]
    sidecar.check_widths(path, state_dim, action_dim)
    return _make_spec(path, config, sidecar, {key: features[key] for key in images}, (state_dim, action_dim))


def _make_spec(
    path: Path, config: Any, sidecar: Sidecar, images: Mapping[str, tuple[int, ...]], widths: tuple[int, int]
) -> PolicySpec:
    return PolicySpec(
        kind=f"lerobot:{config.type}",
        checkpoint_id=file_id(path / WEIGHTS_FILE),
        images=tuple(ImageFeature(key, shape[1], shape[2]) for key, shape in images.items()),
        state_dim=widths[0],
        action_dim=widths[1],
        horizon=0,
        n_obs_steps=1,
        n_action_steps=0,
        step_s=sidecar.step_s,
        stochastic=True,
        accepts_prefix=False,
        uses_language=config.type not in NEEDS_NO_TEXT,
        state_names=sidecar.state_names,
        action_names=sidecar.action_names,
    )


def _tried(spec: PolicySpec, policy: Any, processors: tuple[Any, Any], device: str) -> PolicySpec:
    """Complete the spec by asking: every kind of LeRobot policy names its chunk's length differently."""
    trial = LeRobotPolicy(spec, policy, processors, device)
    first, second = (trial.draw(grey_observation(spec), seed) for seed in (0, 1))
    rows = len(first)
    executed = int(getattr(policy.config, "n_action_steps", rows))
    stochastic = not np.array_equal(first, second)
    return replace(spec, horizon=rows, n_action_steps=min(executed, rows), stochastic=stochastic)
