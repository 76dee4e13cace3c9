# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""pi0 (arXiv:2410.24164) and pi0.5 (arXiv:2504.16054): a vision-language prefix, an action expert on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from lbm_policy_node.policies.checkpoint.features import ACTION_KEY, MASK_KEY, STATE_KEY, TOKENS_KEY
from lbm_policy_node.policies.pi0.config import Pi0Config
from lbm_policy_node.policies.pi0.context import Context
from lbm_policy_node.policies.pi0.flow import draw_times, embed_time, integrate, training_pair
from lbm_policy_node.policies.pi0.images import to_network
from lbm_policy_node.policies.pi0.network.gemma import Gemma, KeyValue, rope_angles
from lbm_policy_node.policies.pi0.network.modulation import Modulations, TimeTable, modulate
from lbm_policy_node.policies.pi0.network.modules import PaliGemmaWithExpert
from lbm_policy_node.policies.pi0.rtc import Guidance
from lbm_policy_node.policies.pi0.sizes import Pi0Sizes

WEIGHTS_KEY = "action_weight"


class Pi0(nn.Module):
    """The trainable model; its state dict has openpi's names, which are LeRobot's without "model.".

    Works on preprocessed (normalised, tokenised) batches: `observation.state` (B, state_dim), images
    (B, 3, H, W) in [0, 1], token ids and mask (B, L). Cameras that a batch lacks are left out: the reference
    feeds black images and masks them, which gives the same numbers, because positions count only what is not
    masked.
    """

    def __init__(self, config: Pi0Config, sizes: Pi0Sizes) -> None:
        super().__init__()
        self.config, self.sizes = config, sizes
        width = sizes.expert.width
        self.paligemma_with_expert = PaliGemmaWithExpert(sizes, adaptive=config.adaptive)
        self.action_in_proj = nn.Linear(config.max_action_dim, width)
        self.action_out_proj = nn.Linear(width, config.max_action_dim)
        if config.adaptive:
            self.time_mlp_in = nn.Linear(width, width)
            self.time_mlp_out = nn.Linear(width, width)
        else:
            self.state_proj = nn.Linear(config.max_state_dim, width)
            self.action_time_mlp_in = nn.Linear(2 * width, width)
            self.action_time_mlp_out = nn.Linear(width, width)
        self.gradient_checkpointing = config.gradient_checkpointing
        self.backbone_learns = True

    @property
    def expert(self) -> Gemma:
        """The action expert."""
        return self.paligemma_with_expert.gemma_expert.model

    def forward(self, batch: Mapping[str, Tensor], draws: int = 1) -> Tensor:
        """The training loss, so that wrappers for distributed training work."""
        return self.loss(batch, draws=draws)

    def encode(self, batch: Mapping[str, Tensor]) -> Context:
        """Run the prefix, and pi0's state token, once; everything later reads their keys and values."""
        learns = self.backbone_learns and torch.is_grad_enabled()
        with nullcontext() if learns else torch.no_grad():
            context = self._prefix(batch)
        return context if self.config.adaptive else self._with_state(context, batch[STATE_KEY])

    def velocity(self, context: Context, x: Tensor, t: Tensor, table: Modulations | None = None) -> Tensor:
        """The velocity at noisy actions.

        Args:
            context: Of B observations; the samples of an observation are next to each other in x.
            x: (N, chunk, max_action_dim), N a multiple of B.
            t: (N,), or (1,) for all.
            table: pi0.5's modulations at t, where they are known already.

        Returns:
            float32, the shape of x.
        """
        tokens, cond = self.action_tokens(x, t)
        if cond is not None and table is None:
            table = modulate(self.expert, cond)
        hidden = tokens.to(self.expert.dtype)
        offsets = torch.arange(x.shape[1], device=x.device)
        rope = self._rope(
            context.position.repeat_interleave(len(x) // len(context.position))[:, None] + offsets
        )
        for index, layer in enumerate(self.expert.layers):
            pair = table.layers[index] if table else None
            hidden, _ = self._run(layer, hidden, rope, (context.seen(index),), None, pair)
        hidden, _ = self.expert.norm(hidden, table.final if table else None)
        return self.action_out_proj(hidden.to(self.action_out_proj.weight.dtype)).float()

    def action_tokens(self, x: Tensor, t: Tensor) -> tuple[Tensor, Tensor | None]:
        """Noisy actions as tokens (N, chunk, width), and the time condition (N or 1, width) of pi0.5."""
        weight = self.action_in_proj.weight
        actions = self.action_in_proj(x.to(weight.dtype))
        time = self._time_features(t).to(weight.dtype)
        if self.config.adaptive:
            return actions, self.time_condition(t)
        both = torch.cat([actions, time[:, None].expand_as(actions)], dim=-1)
        return self.action_time_mlp_out(functional.silu(self.action_time_mlp_in(both))), None

    def time_condition(self, t: Tensor) -> Tensor:
        """pi0.5: what the adaptive norms are conditioned on, (B, width)."""
        features = self._time_features(t).to(self.time_mlp_in.weight.dtype)
        return functional.silu(self.time_mlp_out(functional.silu(self.time_mlp_in(features))))

    def sample(
        self,
        context: Context,
        noise: Tensor,
        steps: int | None = None,
        table: TimeTable | None = None,
        guidance: Guidance | None = None,
    ) -> Tensor:
        """Integrate noise (N, chunk, max_action_dim) to normalised actions (N, chunk, action_dim).

        Args:
            context: What `encode` gave, for B observations, N a multiple of B.
            noise: Initial noise; the samples of an observation are next to each other.
            steps: Euler steps; None: as config.json says.
            table: pi0.5's modulations at each time, for weights that do not change any more.
            guidance: Real-time chunking: pulls the chunk towards what is left of the previous one.
        """

        def velocity(x: Tensor, t: float) -> Tensor:
            time = torch.tensor([t], dtype=torch.float32, device=x.device)
            v = self.velocity(context, x, time, table.at(t) if table else None)
            return v if guidance is None else guidance(x, v, t)

        x = integrate(velocity, noise.float(), steps or self.config.num_inference_steps)
        return x[..., : self.config.action_dim]

    def loss(
        self,
        batch: Mapping[str, Tensor],
        noise: Tensor | None = None,
        t: Tensor | None = None,
        draws: int = 1,
        context: Context | None = None,
    ) -> Tensor:
        """Mean squared error of the velocity over the real action dimensions.

        Args:
            batch: As for `encode`, plus `action` (B, chunk, action_dim), normalised. `action_weight`
                (B, chunk), if it is there, multiplies the error of each future step. As in the reference,
                steps past an episode's end count like others.
            noise: (B * draws, chunk, max_action_dim); drawn when None.
            t: Times (B * draws,); drawn after the noise when None.
            draws: Noises and times per observation: reuses the encoding (our addition; LeRobot has 1).
            context: The batch's encoding if it is known already.
        """
        config = self.config
        actions = functional.pad(batch[ACTION_KEY], (0, config.max_action_dim - batch[ACTION_KEY].shape[-1]))
        actions = actions.repeat_interleave(draws, dim=0)
        context = self.encode(batch) if context is None else context
        noise = torch.randn_like(actions) if noise is None else noise
        t = draw_times(config, len(actions), actions.device) if t is None else t
        x, target = training_pair(actions, noise, t)
        error = (self.velocity(context, x, t) - target).square()[..., : config.action_dim]
        if WEIGHTS_KEY in batch:
            error = error * batch[WEIGHTS_KEY].repeat_interleave(draws, dim=0)[..., None]
        return error.mean()

    def embed_prefix(self, batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor | None]:
        """Tokens of the present cameras and of the instruction (B, T, width), and which are real, None: all.

        Padding after the longest instruction of the batch is dropped.
        """
        mask = batch[MASK_KEY].bool()
        longest = int(mask.sum(dim=1).max())
        words = self.paligemma_with_expert.paligemma.model.language_model.embed(
            batch[TOKENS_KEY][:, :longest]
        )
        keys = [key for key in self.config.image_features if key in batch]
        if not keys:
            raise ValueError(f"the batch holds none of the cameras {list(self.config.image_features)}")
        side = self.sizes.vision.side
        pictures = torch.cat([to_network(batch[key].float(), (side, side)) for key in keys])
        patches = self.paligemma_with_expert.paligemma.model.embed_images(pictures, self._runner())
        patches = patches.unflatten(0, (len(keys), -1)).transpose(0, 1).flatten(1, 2)
        tokens = torch.cat([patches.to(words.dtype), words], dim=1)
        if bool(mask[:, :longest].all()):
            return tokens, None
        return tokens, torch.cat([mask.new_ones(patches.shape[:2]), mask[:, :longest]], dim=1)

    def _prefix(self, batch: Mapping[str, Tensor]) -> Context:
        hidden, valid = self.embed_prefix(batch)
        count = hidden.shape[1]
        if valid is None:
            positions = torch.arange(count, device=hidden.device)[None].expand(len(hidden), -1)
            used = torch.full((len(hidden),), count, device=hidden.device)
        else:
            positions, used = valid.cumsum(dim=1) - 1, valid.sum(dim=1)
        rope = self._rope(positions)
        layers: Sequence[Any] = list(self.paligemma_with_expert.paligemma.model.language_model.layers)
        caches = []
        for layer in layers[:-1]:
            hidden, cache = self._run(layer, hidden, rope, (), valid)
            caches.append(cache)
        caches.append(layers[-1].cache(hidden, rope))  # nothing reads the last layer's output
        ready = tuple(KeyValue(*(part.to(self.expert.dtype) for part in cache)) for cache in caches)
        return Context(ready, valid, used)

    def _with_state(self, context: Context, state: Tensor) -> Context:
        """Add pi0's state token, which sees the prefix and itself, and not the time."""
        padded = functional.pad(state, (0, self.config.max_state_dim - state.shape[-1]))
        token = self.state_proj(padded.to(self.state_proj.weight.dtype))[:, None]
        hidden, rope = token.to(self.expert.dtype), self._rope(context.position[:, None])
        layers: Sequence[Any] = list(self.expert.layers)
        caches = []
        for index, layer in enumerate(layers):
            if index + 1 < len(layers):
                hidden, cache = self._run(layer, hidden, rope, (context.seen(index),))
            else:
                cache = layer.cache(hidden, rope)
            pairs = zip(context.caches[index], cache, strict=True)
            caches.append(KeyValue(*(torch.cat(pair, dim=1) for pair in pairs)))
        valid = context.valid
        if valid is not None:
            valid = torch.cat([valid, valid.new_ones(len(valid), 1)], dim=1)
        return Context(tuple(caches), valid, context.position + 1)

    def _rope(self, positions: Tensor) -> Tensor:
        return rope_angles(positions, self.sizes.expert.head_dim)

    def _time_features(self, t: Tensor) -> Tensor:
        config = self.config
        return embed_time(t, self.sizes.expert.width, config.min_period, config.max_period)

    def _runner(self) -> Any:
        return self._run if self.gradient_checkpointing and self.training else None

    def _run(self, layer: nn.Module, *inputs: Any) -> Any:
        """Call a layer; when asked to, forget its inner values and compute them again for the gradient."""
        if self.gradient_checkpointing and self.training and torch.is_grad_enabled():
            return checkpoint(layer, *inputs, use_reentrant=False)
        return layer(*inputs)
