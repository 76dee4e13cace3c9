# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""An auxiliary target, meant to make vision learn where things are; it exists in training only.

Asking the conditioning vector where the episode ended gives a new vision tower a direct signal in every step
of the episode, beside the denoising loss. Its effect on success was not measured in isolation.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn
from torch.nn import functional

from lbm_policy_node.policies.multitask_dit.model import MultiTaskDiT
from lbm_policy_node.training.samples import GOAL_KEY
from lbm_policy_node.training.subject import Trainee

WIDTH = 128


class Learner(Trainee):
    """The policy and, with a weight above 0, a head that predicts the last action of the episode."""

    policy: MultiTaskDiT

    def __init__(self, policy: MultiTaskDiT, goal_weight: float) -> None:
        super().__init__()
        self.policy = policy
        self.goal_weight = goal_weight
        self.head: nn.Module | None = None
        if goal_weight > 0:
            size = policy.observation_encoder.conditioning_dim
            layers = nn.Linear(size, WIDTH), nn.GELU(), nn.Linear(WIDTH, policy.config.action_dim)
            self.head = nn.Sequential(*layers)

    def forward(self, batch: Mapping[str, Tensor], draws: int) -> tuple[Tensor, Tensor]:
        """Return the loss to minimise and the policy's own part of it, scalars."""
        cond = self.policy.encode(batch)
        loss = self.policy.loss(batch, draws=draws, cond=cond)
        if self.head is None:
            return loss, loss.detach()
        goal = functional.mse_loss(self.head(cond).float(), batch[GOAL_KEY])
        return loss + self.goal_weight * goal, loss.detach()
