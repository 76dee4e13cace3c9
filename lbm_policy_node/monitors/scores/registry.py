# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Every score by its name."""

from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType

from lbm_policy_node.monitors.pair import SamplePair
from lbm_policy_node.monitors.scores.energy import Energy
from lbm_policy_node.monitors.scores.entropy import BIN_WIDTH, Entropy
from lbm_policy_node.monitors.scores.kde_kl import FORWARD, REVERSE, KdeKl
from lbm_policy_node.monitors.scores.min_distance import MinDistance
from lbm_policy_node.monitors.scores.mmd import DIM, FLOORED, MEDIAN, Mmd
from lbm_policy_node.monitors.scores.output_variance import OutputVariance
from lbm_policy_node.monitors.scores.overlap_error import OverlapError
from lbm_policy_node.monitors.scores.score import Score, ScoreConfig


def _trained(config: ScoreConfig, folder: Path | None) -> Score:
    return _module(config.name).make(config, folder)


def _module(name: str) -> ModuleType:
    # By name, and only when it is chosen: these need safetensors, which a robot computer may lack.
    return import_module(f"lbm_policy_node.monitors.scores.{name}")


_MAKERS: dict[str, Callable[[ScoreConfig, Path | None], Score]] = {
    "mmd_floored": lambda config, folder: Mmd(FLOORED, config.bandwidth_floor),
    "mmd_median": lambda config, folder: Mmd(MEDIAN),
    "mmd_dim": lambda config, folder: Mmd(DIM),
    "kl_reverse": lambda config, folder: KdeKl(REVERSE, config.bandwidth_floor),
    "kl_forward": lambda config, folder: KdeKl(FORWARD, config.bandwidth_floor),
    "energy": lambda config, folder: Energy(),
    "overlap_error": lambda config, folder: OverlapError(),
    "min_distance": lambda config, folder: MinDistance(),
    "output_variance": lambda config, folder: OutputVariance(),
    "entropy": lambda config, folder: Entropy(config.number("bin_width", BIN_WIDTH)),
    "ood_flow": _trained,
    "energy_ood": _trained,
}
_PARAMETERS = {"entropy": {"bin_width"}}

SCORES: tuple[str, ...] = tuple(_MAKERS)
DEFAULT_SCORE = "energy"
"""The best of those that need neither training nor an embedding (docs/monitor.md)."""
TRAINED: tuple[str, ...] = ("ood_flow", "energy_ood")
"""Scores with weights that must have been trained and lie in a folder."""


def make_score(config: ScoreConfig, folder: Path | None = None) -> Score:
    """Build a score.

    Args:
        config: Its name and numbers.
        folder: Where the weights of a trained score lie; the others ignore it.

    Raises:
        ValueError: If there is no such score, or a parameter is unknown or wrong.
    """
    maker = _MAKERS.get(config.name)
    if maker is None:
        raise ValueError(f"there is no score '{config.name}'; there are {', '.join(SCORES)}")
    unknown = set(config.parameters) - _PARAMETERS.get(config.name, set())
    if unknown and config.name not in TRAINED:  # those check their parameters themselves
        raise ValueError(f"the score '{config.name}' has no parameter {sorted(unknown)}")
    return maker(config, folder)


def learn_parameters(config: ScoreConfig, pairs: Sequence[SamplePair], folder: Path | None) -> ScoreConfig:
    """Return the configuration with what a trained score takes from the pairs of successful episodes.

    Raises:
        ValueError: A part of the score does not vary, or its weights cannot be used.
    """
    return _module(config.name).learn(config, pairs, folder) if config.name in TRAINED else config
