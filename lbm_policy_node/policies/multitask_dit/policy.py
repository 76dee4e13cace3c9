# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The multitask DiT behind the policy seam."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch
from torch import Tensor

from lbm_policy_node.core.types import Observation
from lbm_policy_node.policies.action_space import to_absolute
from lbm_policy_node.policies.checkpoint.features import ACTION_KEY, STATE_KEY
from lbm_policy_node.policies.multitask_dit.checkpoint import Checkpoint
from lbm_policy_node.policies.multitask_dit.config import KIND
from lbm_policy_node.policies.multitask_dit.description import describe_checkpoint
from lbm_policy_node.policies.multitask_dit.hoisted import HoistedNetwork
from lbm_policy_node.policies.multitask_dit.objective import NoiseSource
from lbm_policy_node.policies.noise import SampleNoise
from lbm_policy_node.policies.policy import FloatArray, ImageFeature, PolicySpec, check_request

CACHED_INSTRUCTIONS = 64


class MultiTaskDiTPolicy:
    """Runs a checkpoint: one encoding of the observation, K samples in one batch. One thread at a time."""

    def __init__(
        self, checkpoint: Checkpoint, device: str = "cpu", *, half: bool | None = None, hoist: bool = True
    ) -> None:
        """Move the model to a device.

        Args:
            checkpoint: What `load_checkpoint` read.
            device: torch device.
            half: Compute in bfloat16 where that is safe (autocast). None: as the checkpoint's `use_amp`
                says, on CUDA only.
            hoist: Use the faster network path; the plain one is for comparison.
        """
        self.checkpoint = checkpoint
        self.model = checkpoint.model.to(device).eval()
        self.device = torch.device(device)
        use_half = checkpoint.config.use_amp and self.device.type == "cuda" if half is None else half
        self._half = use_half
        self._inputs = checkpoint.processors.inputs.to(device)
        self._outputs = checkpoint.processors.outputs.to(device)
        times = self.model.objective.times()
        self._hoisted = HoistedNetwork(self.model.noise_predictor, times) if hoist else None
        self._text: dict[str, Tensor] = {}
        self._encoded: tuple[tuple[Observation, ...], Tensor] | None = None
        self._arriving = {new: old for old, new in checkpoint.processors.rename_map.items()}
        self.spec = make_spec(checkpoint)

    def infer(
        self,
        history: Sequence[Observation],
        *,
        n_samples: int = 1,
        seed: int = 0,
        prefix: FloatArray | None = None,
    ) -> FloatArray:
        """Predict chunks; see `Policy.infer`. The instruction is the newest observation's."""
        check_request(self.spec, history, n_samples, prefix)
        shape = (self.model.config.horizon, self.model.config.action_dim)
        noise = SampleNoise(seed, n_samples, shape, self.device)
        cond = self.encode(history)
        self._encoded = tuple(history), cond
        return self.decode(self.sample(cond, noise(), noise), history)

    def embed(self, history: Sequence[Observation]) -> FloatArray:
        """The conditioning vector (spec.embedding_dim,); see `EmbeddingPolicy.embed`.

        The encoding of the last `infer` is remembered, one only, together with its observations: they are
        compared by identity, and holding them keeps a new object from taking the place of an old one.
        """
        check_request(self.spec, history, 1, None)
        cond = self._remembered(history)
        if cond is None:
            cond = self.encode(history)
        return cond[0].float().cpu().numpy().astype(np.float64)

    def describe(self) -> Mapping[str, str]:
        """Facts about the checkpoint, for users."""
        return describe_checkpoint(self.checkpoint)

    @torch.inference_mode()
    def encode(self, history: Sequence[Observation]) -> Tensor:
        """The conditioning vector (1, conditioning_dim) of a history of observations."""
        with self._precision():
            text = self._text_feature(history[-1].instruction)
            return self.model.encode(self.preprocess(history), text)

    @torch.inference_mode()
    def sample(self, cond: Tensor, noise: Tensor, step_noise: NoiseSource) -> Tensor:
        """Normalised actions (K, horizon, action_dim) from initial noise of that shape."""
        with self._precision():
            network = self._hoisted.bind(cond) if self._hoisted else None
            return self.model.sample(cond.expand(len(noise), -1), noise, step_noise, network).float()

    @torch.inference_mode()
    def decode(self, sample: Tensor, history: Sequence[Observation]) -> FloatArray:
        """Normalised horizon to physical actions from the newest row on, (K, spec.horizon, action_dim)."""
        actions = self._outputs.unnormalize(ACTION_KEY, sample).cpu().numpy().astype(np.float64)
        blocks = self.model.config.lbm_extensions.relative_poses
        if blocks:
            states = np.stack([observation.state for observation in history]).astype(np.float64)
            actions = to_absolute(actions, states, blocks)
        return actions[:, self.model.config.first_row :]

    @torch.inference_mode()
    def preprocess(self, history: Sequence[Observation]) -> dict[str, Tensor]:
        """Network inputs with batch and step axes: state (1, n_obs, state_dim), image (1, n_obs, 3, H, W)."""
        state = torch.from_numpy(np.stack([observation.state for observation in history])).to(self.device)
        batch = {STATE_KEY: self._inputs.normalize(STATE_KEY, state)[None]}
        for key in self.model.config.image_features:
            name = self._arriving.get(key, key)
            pixels = torch.from_numpy(np.stack([observation.images[name] for observation in history]))
            image = pixels.to(self.device).permute(0, 3, 1, 2).float() / 255
            batch[key] = self._inputs.normalize(key, image)[None]
        return batch

    def _remembered(self, history: Sequence[Observation]) -> Tensor | None:
        """The encoding of the last `infer`, if it saw these very observations."""
        if self._encoded is None:
            return None
        seen, cond = self._encoded
        same = len(seen) == len(history) and all(a is b for a, b in zip(seen, history, strict=True))
        return cond if same else None

    def _text_feature(self, instruction: str) -> Tensor:
        """The projected text feature (1, hidden_dim), computed once per instruction."""
        if instruction not in self._text:
            if len(self._text) >= CACHED_INSTRUCTIONS:
                self._text.pop(next(iter(self._text)))
            tokens, _ = self.checkpoint.tokenizer(instruction)
            self._text[instruction] = self.model.observation_encoder.text_encoder(tokens.to(self.device))
        return self._text[instruction]

    def _precision(self) -> AbstractContextManager[object]:
        if not self._half:
            return nullcontext()
        return torch.autocast(self.device.type, dtype=torch.bfloat16)


def make_spec(checkpoint: Checkpoint) -> PolicySpec:
    """What a checkpoint needs and gives, as the robot side sees it."""
    config, sidecar = checkpoint.config, checkpoint.sidecar
    arriving = {new: old for old, new in checkpoint.processors.rename_map.items()}
    images = tuple(
        ImageFeature(arriving.get(key, key), feature.shape[1], feature.shape[2])
        for key, feature in config.image_features.items()
    )
    return PolicySpec(
        kind=KIND,
        checkpoint_id=checkpoint.checkpoint_id,
        images=images,
        state_dim=config.state_dim,
        action_dim=config.action_dim,
        horizon=config.horizon - config.first_row,
        n_obs_steps=config.n_obs_steps,
        n_action_steps=config.n_action_steps,
        step_s=sidecar.step_s,
        stochastic=True,
        accepts_prefix=False,
        uses_language=True,
        state_names=sidecar.state_names,
        action_names=sidecar.action_names,
        embedding_dim=checkpoint.model.observation_encoder.conditioning_dim,
    )
