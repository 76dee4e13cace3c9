# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""How much each recorded step counts in training on interventions; the mean over all steps is 1."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lbm_policy_node.core.episodes.labels import StepClass
from lbm_policy_node.core.types import Array

INTERVENTION_SHARE = 0.5
PRE_INTERVENTION_SHARE = 0.002
"""Shares of the weighted data that Sirius' released code gives to the two classes."""


def step_weights(classes: Array, rule: str) -> Array:
    """Weigh the steps of a training set.

    Args:
        classes: A `StepClass` per step of all episodes, integers (N,), N above 0.
        rule: A key of `WEIGHT_RULES`: "sirius", "iwr" or "none".

    Returns:
        Weights, float64 (N,), at least 0, finite, with a mean of 1.

    Raises:
        ValueError: If the rule or a class is unknown, or there is no step.
    """
    if rule not in WEIGHT_RULES:
        raise ValueError(f"weights must be one of {sorted(WEIGHT_RULES)}, is '{rule}'")
    classes = np.asarray(classes)
    known = [int(kind) for kind in StepClass]
    if classes.ndim != 1 or not classes.size:
        raise ValueError(f"classes must be a vector of at least one step, have shape {classes.shape}")
    if not np.isin(classes, known).all():
        raise ValueError(f"classes must be in {known}, found {np.setdiff1d(classes, known)[:5].tolist()}")
    weights = WEIGHT_RULES[rule](classes)
    return weights / weights.mean()


def sirius_shares(classes: Array) -> dict[StepClass, float]:
    """Return the share of the weighted data that each class gets; they add up to 1.

    Sirius (arXiv:2211.08416) gives half to interventions, the share that they have anyway for
    demonstrations, nearly nothing for what came before an intervention, and the rest for the robot. The
    released code lets that rest, and with it the robot's weight, fall below 0 where demonstrations are more
    than 49.8 % of the steps. Deviations: demonstrations get 49.8 % at most, the robot at least 0, and shares
    of classes that do not occur are spread over the others in proportion (the code divides by zero). So with
    no intervention at all, and 49.8 % demonstrations or more, the robot's own steps count nothing.

    Args:
        classes: A `StepClass` per step, integers (N,), N above 0. The code counts the first step of each
            window; every step starts a window here, so all are counted.
    """
    occurring = {kind: float(np.mean(classes == kind)) for kind in StepClass}
    demo = min(occurring[StepClass.DEMO], 1 - INTERVENTION_SHARE - PRE_INTERVENTION_SHARE)
    shares = {
        StepClass.INTERVENTION: INTERVENTION_SHARE,
        StepClass.PRE_INTERVENTION: PRE_INTERVENTION_SHARE,
        StepClass.DEMO: demo,
        StepClass.ROBOT: max(0.0, 1 - INTERVENTION_SHARE - PRE_INTERVENTION_SHARE - demo),
    }
    kept = {kind: share if occurring[kind] else 0.0 for kind, share in shares.items()}
    total = sum(kept.values())
    return {kind: share / total for kind, share in kept.items()}


def chunk_weights(weights: Array, steps: Array, starts: Array, ends: Array, offsets: Array) -> Array:
    """Give each step of a chunk its own weight, so that a chunk may reach into an intervention.

    Steps outside the episode weigh as much as its first or last step, whose action the training sample
    repeats there. Whether what is past the end counts stays with `do_mask_loss_for_padding`, so that equal
    weights change nothing. The mean over chunks is near 1, not exactly: the ends of episodes are repeated.

    Args:
        weights: Of every step of the dataset, (N,).
        steps: Which samples, int64 (B,).
        starts: First step of the episode of each step of the dataset, int64 (N,).
        ends: One past its last step, int64 (N,).
        offsets: Steps of the chunk relative to the sample's, int64 (horizon,).

    Returns:
        Weights, float32 (B, horizon).
    """
    rows = steps[:, None] + offsets
    rows = np.clip(rows, starts[steps][:, None], ends[steps][:, None] - 1)
    return weights[rows].astype(np.float32)


def _sirius(classes: Array) -> Array:
    weights = np.zeros(classes.size)
    for kind, share in sirius_shares(classes).items():
        members = classes == kind
        if members.any():
            weights[members] = share / members.mean()
    return weights


def _iwr(classes: Array) -> Array:
    """Interventions as heavy as all else together (IWR, arXiv:2012.06733); it samples so, this weighs so."""
    human = classes == StepClass.INTERVENTION
    count = int(human.sum())
    weights = np.ones(classes.size)
    if 0 < count < classes.size:  # nothing to balance otherwise
        weights[human] = (classes.size - count) / count
    return weights


def _none(classes: Array) -> Array:
    return np.ones(classes.size)


WEIGHT_RULES: dict[str, Callable[[Array], Array]] = {"sirius": _sirius, "iwr": _iwr, "none": _none}
