# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Disagreement or novelty: whichever of the two is more unusual for the policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from lbm_policy_node.monitors.pair import SamplePair
from lbm_policy_node.monitors.scores.energy import Energy
from lbm_policy_node.monitors.scores.ood_flow import OodFlow
from lbm_policy_node.monitors.scores.score import Score, ScoreConfig
from lbm_policy_node.monitors.statistics import Standardisation, fit_standardisation

_PARTS = ("energy", "ood")


class EnergyOod(Score):
    """The larger of `energy` and `ood_flow`, each in standard deviations from its mean in calibration.

    The one sees that samples stop agreeing, the other that the policy sees what it was not trained on while
    it still agrees with itself; failures that one misses the other often finds (docs/monitor.md). One number
    and one threshold for both cost less false alarms than two alarms that share them. Needs no torch.
    """

    name = "energy_ood"
    needs_embedding = OodFlow.needs_embedding
    parameters = OodFlow.parameters | {f"{part}_{figure}" for part in _PARTS for figure in ("mean", "std")}
    files = OodFlow.files
    trainer = OodFlow.trainer

    def __init__(self, flow: OodFlow, energy: Standardisation, ood: Standardisation) -> None:
        """Combine the two parts with what is usual for each."""
        self._flow, self._energy = flow, Energy()
        self._usual = (energy, ood)

    @classmethod
    def make(cls, config: ScoreConfig, folder: Path | None) -> EnergyOod:
        """Build the score with the parameters energy_mean, energy_std, ood_mean, ood_std and weights_id.

        Args:
            config: Without the first four both parts count as they are, which is for `learn` alone.
            folder: Holds the weights of `ood_flow`.

        Raises:
            OodFlowError: See OodFlow.make.
            ValueError: A standard deviation is not above 0.
        """
        energy, ood = (
            Standardisation(config.number(f"{part}_mean", 0.0), config.number(f"{part}_std", 1.0))
            for part in _PARTS
        )
        return cls(OodFlow.make(config, folder), energy, ood)

    @classmethod
    def learn(cls, config: ScoreConfig, pairs: Sequence[SamplePair], folder: Path | None) -> ScoreConfig:
        """Return the configuration with mean and spread of both parts over the pairs of successful episodes.

        Raises:
            ConstantScoreError: A part does not vary.
            OodFlowError: See OodFlow.make.
        """
        score = cls.make(config, folder)
        values = np.array([score.parts(pair) for pair in pairs])
        learned: dict[str, float | str] = dict(config.parameters)
        for i, part in enumerate(_PARTS):
            usual = fit_standardisation(values[:, i], score=f"{part} of {cls.name}", statistic="max")
            learned |= {f"{part}_mean": usual.mean, f"{part}_std": usual.std}
        return OodFlow.learn(replace(config, parameters=learned), pairs, folder)

    def __call__(self, pair: SamplePair) -> float:
        """Return the larger one; 0 is usual.

        Raises:
            OodFlowError: The embedding has another width than the weights, or is not finite.
        """
        return max(usual(value) for usual, value in zip(self._usual, self.parts(pair), strict=True))

    def parts(self, pair: SamplePair) -> tuple[float, float]:
        """Return `energy` and `ood_flow` as they are."""
        return self._energy(pair), self._flow(pair)
