# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""pi0 and pi0.5 behind the policy seam."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from lbm_policy_node.core.types import Observation
from lbm_policy_node.policies.checkpoint.features import ACTION_KEY, MASK_KEY, STATE_KEY, TOKENS_KEY
from lbm_policy_node.policies.noise import SampleNoise
from lbm_policy_node.policies.pi0.checkpoint import Checkpoint, prompts
from lbm_policy_node.policies.pi0.context import Context
from lbm_policy_node.policies.pi0.description import describe_checkpoint
from lbm_policy_node.policies.pi0.network.modulation import TimeTable
from lbm_policy_node.policies.policy import FloatArray, ImageFeature, PolicySpec, check_request


class Pi0Policy:
    """Runs a checkpoint: the prefix once per observation, K samples in one batch. One thread at a time."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        """Wrap a loaded checkpoint; the model stays where it was loaded."""
        self.checkpoint = checkpoint
        self.model = checkpoint.model.eval()
        self.device = self.model.action_in_proj.weight.device
        self._inputs = checkpoint.processors.inputs.to(self.device)
        self._outputs = checkpoint.processors.outputs.to(self.device)
        self._arriving = {new: old for old, new in checkpoint.processors.rename_map.items()}
        self._table = None
        if checkpoint.config.adaptive:
            self._table = TimeTable.of(self.model, checkpoint.config.num_inference_steps)
        self.spec = make_spec(checkpoint)

    def infer(
        self,
        history: Sequence[Observation],
        *,
        n_samples: int = 1,
        seed: int = 0,
        prefix: FloatArray | None = None,
    ) -> FloatArray:
        """Predict chunks; see `Policy.infer`."""
        check_request(self.spec, history, n_samples, prefix)
        config = self.model.config
        noise = SampleNoise(seed, n_samples, (config.chunk_size, config.max_action_dim), self.device)()
        return self.decode(self.sample(self.encode(history), noise), history)

    def describe(self) -> Mapping[str, str]:
        """Facts about the checkpoint, for users."""
        return describe_checkpoint(self.checkpoint)

    @torch.inference_mode()
    def encode(self, history: Sequence[Observation]) -> Context:
        """Keys and values of everything that the newest observation says."""
        return self.model.encode(self.preprocess(history))

    @torch.inference_mode()
    def sample(self, context: Context, noise: Tensor) -> Tensor:
        """Normalised actions (K, chunk, action_dim) from initial noise (K, chunk, max_action_dim)."""
        return self.model.sample(context, noise, table=self._table)

    @torch.inference_mode()
    def decode(self, sample: Tensor, history: Sequence[Observation]) -> FloatArray:
        """Normalised to physical actions (K, chunk, action_dim), absolute again where they were relative."""
        actions = self._outputs.unnormalize(ACTION_KEY, sample).cpu().numpy().astype(np.float64)
        state = history[-1].state.astype(np.float64)
        return self.checkpoint.processors.relative.to_absolute(actions, state)

    @torch.inference_mode()
    def preprocess(self, history: Sequence[Observation]) -> dict[str, Tensor]:
        """Network inputs of the newest observation: state (1, n), images (1, 3, H, W), tokens (1, L)."""
        newest = history[-1]
        state = torch.from_numpy(newest.state.astype(np.float32)).to(self.device)[None]
        batch = {STATE_KEY: self._inputs.normalize(STATE_KEY, state)}
        texts = prompts(self.model.config, [newest.instruction], batch[STATE_KEY].cpu().numpy())
        tokens, mask = self.checkpoint.tokenizer(texts)
        batch |= {TOKENS_KEY: tokens.to(self.device), MASK_KEY: mask.to(self.device)}
        for key in present_cameras(self.checkpoint):
            pixels = torch.tensor(newest.images[self._arriving.get(key, key)], device=self.device)
            batch[key] = self._inputs.normalize(key, pixels.permute(2, 0, 1)[None].float() / 255)
        return batch


def present_cameras(checkpoint: Checkpoint) -> list[str]:
    """The cameras of config.json that the robot has."""
    absent = checkpoint.sidecar.absent_cameras
    return [key for key in checkpoint.config.real_cameras if key not in absent]


def make_spec(checkpoint: Checkpoint) -> PolicySpec:
    """What a checkpoint needs and gives, as the robot side sees it."""
    config, sidecar = checkpoint.config, checkpoint.sidecar
    arriving = {new: old for old, new in checkpoint.processors.rename_map.items()}
    sizes = {key: config.image_features[key].shape for key in present_cameras(checkpoint)}
    return PolicySpec(
        kind=config.kind,
        checkpoint_id=checkpoint.checkpoint_id,
        images=tuple(ImageFeature(arriving.get(key, key), *shape[1:]) for key, shape in sizes.items()),
        state_dim=config.state_dim,
        action_dim=config.action_dim,
        horizon=config.chunk_size,
        n_obs_steps=config.n_obs_steps,
        n_action_steps=config.n_action_steps,
        step_s=sidecar.step_s,
        stochastic=True,
        accepts_prefix=False,
        uses_language=True,
        state_names=sidecar.state_names,
        action_names=sidecar.action_names or config.action_feature_names,
    )
