# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Every score by its name; what a score needs is said by its class."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from lbm_policy_node.core import plugins
from lbm_policy_node.core.episodes.chunk_episode import ChunkEpisode
from lbm_policy_node.core.plugins import Kinds, PluginError, import_attribute
from lbm_policy_node.monitors.pair import SamplePair
from lbm_policy_node.monitors.scores.score import Score, ScoreConfig

_HERE = "lbm_policy_node.monitors.scores"
_SCORES: Kinds[type[Score]] = Kinds(
    plugins.SCORES,
    {
        "mmd_floored": f"{_HERE}.mmd:Mmd",
        "mmd_median": f"{_HERE}.mmd:Mmd",
        "mmd_dim": f"{_HERE}.mmd:Mmd",
        "kl_reverse": f"{_HERE}.kde_kl:KdeKl",
        "kl_forward": f"{_HERE}.kde_kl:KdeKl",
        "energy": f"{_HERE}.energy:Energy",
        "overlap_error": f"{_HERE}.overlap_error:OverlapError",
        "min_distance": f"{_HERE}.min_distance:MinDistance",
        "output_variance": f"{_HERE}.output_variance:OutputVariance",
        "entropy": f"{_HERE}.entropy:Entropy",
        "ood_flow": f"{_HERE}.ood_flow:OodFlow",
        "energy_ood": f"{_HERE}.energy_ood:EnergyOod",
    },
    type,
)
DEFAULT_SCORE = "energy"
"""The best of those that need neither training nor an embedding (docs/monitor.md)."""


def score_names() -> tuple[str, ...]:
    """Return the name of every score, of other installed packages too.

    Raises:
        PluginError: Two packages offer the same name.
    """
    return _SCORES.names()


def score_class(name: str) -> type[Score]:
    """Return the class of a score, which says what the score needs.

    Raises:
        ValueError: There is no such score, or that of another package cannot be used.
    """
    if name not in score_names():
        raise ValueError(f"there is no score '{name}'; there are {', '.join(score_names())}")
    found = _SCORES.get(name)
    if Score not in found.__mro__:
        raise PluginError(f"the score '{name}' is {found.__module__}.{found.__name__}, no subclass of Score")
    return found


def make_score(config: ScoreConfig, folder: Path | None = None) -> Score:
    """Build a score.

    Args:
        config: Its name and numbers.
        folder: Where the files of a score that is trained lie; the others ignore it.

    Raises:
        ValueError: There is no such score, a parameter is unknown or wrong, or a file cannot be used.
    """
    found = score_class(config.name)
    if unknown := sorted(set(config.parameters) - found.parameters):
        raise ValueError(f"the score '{config.name}' has no parameter {unknown}")
    score = found.make(config, folder)
    if score.name != config.name:
        raise PluginError(f"the score '{config.name}' calls itself '{score.name}'; the two must be the same")
    return score


def learn_parameters(config: ScoreConfig, pairs: Sequence[SamplePair], folder: Path | None) -> ScoreConfig:
    """Return the configuration with what a score takes from the pairs of successful episodes.

    Raises:
        ValueError: A part of the score does not vary, or its files cannot be used.
    """
    return score_class(config.name).learn(config, pairs, folder)


def train_score(name: str, episodes: Iterable[ChunkEpisode], folder: Path) -> str:
    """Train a score on the successful ones among some episodes.

    Args:
        name: The score.
        episodes: None of those that calibrate it: a score is smaller on what it was trained on.
        folder: Where its files go.

    Returns:
        What came of it, a line for users.

    Raises:
        ValueError: The score is not trained, or the episodes do not suffice.
    """
    trainer = score_class(name).trainer
    if not trainer:
        trained = [other for other in score_names() if score_class(other).trainer]
        raise ValueError(f"the score '{name}' is not trained; these are: {', '.join(trained)}")
    return import_attribute(trainer)(episodes, folder)
