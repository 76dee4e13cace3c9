# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What a score is and how it is described in a calibration file."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol

from lbm_policy_node.monitors.pair import SamplePair


class Score(Protocol):
    """How unusual a new action chunk is, as one number: the part of the monitor that one can exchange.

    A score is a subclass of this class in a file of its own. The class says what the score needs, so nothing
    else in the package knows a score by its name. Adding one takes its file and one line: in the table of
    `scores/registry.py`, or, for a score of another package, an entry point of the group
    "lbm_policy.scores" that names the class.

    **What it computes.** s_t = f(X_t, Y_t, e_t), where X_t are the K samples of the current chunk, Y_t those
    of the chunk before, both on the rows that the two plan for the same instants and in scaled units (an
    action column divided by its standard deviation in training, a rotation by 1 rad), and e_t is the
    policy's embedding of the current observation. `SamplePair` holds them, with all squared distances.

    - s_t is finite, and larger means more unusual. It needs no fixed scale: calibration takes the mean m and
      the spread d of s over successful episodes, the monitor accumulates (s_t - m) / d and compares the
      running value with a threshold that conformal prediction chose.
    - It depends on the pair and on what the score was built with, and on nothing else: no clock, no state,
      no random numbers. The same two chunks give the same number live, in calibration and in replay.
    - It is computed once per chunk in the monitor's thread and should take a millisecond or two on one core
      (`lbm bench-monitor`). It does not wait and does not read files.
    - The samples are the unguided ones: guidance makes chunks consistent on purpose. A score that also looks
      at the chunk being executed sets `compares_executed`, and is then not applied to guided chunks.
    - It raises ValueError or ArithmeticError where it cannot be computed; the verdict is then a FAULT.

    **How it comes to be.** ::

        train(episodes, folder)     only with `trainer`: writes `files` into the folder
        make(config, folder)        reads them
        learn(config, pairs, ...)   once, in calibration: parameters from the pairs of successful episodes
        make(learned, folder)       in calibration and then in every monitor: score(pair)

    The folder is the one that holds the calibration file.

    Attributes:
        name: What `--score`, the calibration file and the verdicts call it; the name it is registered by.
        min_samples: Samples that each of the two chunks must have.
        needs_embedding: Whether the current chunk must carry the policy's embedding of the observation.
            Policies then send it, and a chunk without it is not judged.
        compares_executed: Whether it looks at the executed chunk and not only at unguided samples.
        parameters: Names that `ScoreConfig.parameters` may hold.
        files: Names of the files that the score reads from the folder.
        trainer: Function that trains it, "module:function", called with (episodes, folder): reads
            `ChunkEpisode`s, writes `files` into the folder, which it makes, and returns a line of text for
            users. Empty: the score is not trained. Imported only then, because it may need torch. Scores
            with the same trainer share its files.
    """

    name: str
    min_samples: int = 2
    needs_embedding: ClassVar[bool] = False
    compares_executed: ClassVar[bool] = False
    parameters: ClassVar[frozenset[str]] = frozenset()
    files: ClassVar[tuple[str, ...]] = ()
    trainer: ClassVar[str] = ""

    @classmethod
    def make(cls, config: ScoreConfig, folder: Path | None) -> Score:
        """Build the score.

        Args:
            config: Its parameters, whose names have been checked, and the bandwidth floor.
            folder: Where its files lie; None where there is no folder.

        Raises:
            ValueError: A parameter is wrong, or a file is missing or damaged.
        """
        return cls()

    @classmethod
    def learn(cls, config: ScoreConfig, pairs: Sequence[SamplePair], folder: Path | None) -> ScoreConfig:
        """Return the configuration with the parameters that the score takes from calibration.

        Args:
            config: As chosen, with the bandwidth floor that was learned.
            pairs: Of all successful episodes.
            folder: As for `make`.

        Raises:
            ValueError: A part of the score does not vary, or its files cannot be used.
        """
        return config

    @abstractmethod
    def __call__(self, pair: SamplePair) -> float:
        """Return a finite number; larger is more unusual."""
        ...


@dataclass(frozen=True)
class ScoreConfig:
    """Which score, and the numbers it needs.

    Attributes:
        name: One of `scores.registry.score_names()`.
        bandwidth_floor: Squared distance in scaled units below which a kernel's bandwidth does not shrink,
            learned at calibration: the median over pairs of `SamplePair.median_squared_distance`. 0 is none.
        parameters: What else a score lets one choose.

    Raises:
        ValueError: If the floor is negative or not finite, or a parameter is neither number nor text.
    """

    name: str
    bandwidth_floor: float = 0.0
    parameters: Mapping[str, float | str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise ValueError(f"a score needs a name, got {self.name!r}")
        floor = self.bandwidth_floor
        if type(floor) not in (int, float) or not (math.isfinite(floor) and floor >= 0.0):
            raise ValueError(f"bandwidth_floor of '{self.name}' must be finite and at least 0, is {floor!r}")
        if not isinstance(self.parameters, Mapping):
            raise ValueError(f"parameters of '{self.name}' must be a mapping, is {self.parameters!r}")
        for key, value in self.parameters.items():
            if type(value) not in (int, float, str):
                raise ValueError(f"parameter '{key}' of '{self.name}' must be a number or text, is {value!r}")
        object.__setattr__(self, "bandwidth_floor", float(floor))
        object.__setattr__(self, "parameters", dict(self.parameters))

    def number(self, key: str, default: float) -> float:
        """Return a parameter that must be a finite number.

        Raises:
            ValueError: If it is not.
        """
        value = self.parameters.get(key, default)
        if isinstance(value, str) or not math.isfinite(value):
            raise ValueError(f"parameter '{key}' of '{self.name}' must be a finite number, is {value!r}")
        return float(value)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {
            "name": self.name,
            "bandwidth_floor": self.bandwidth_floor,
            "parameters": dict(self.parameters),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ScoreConfig:
        """Read what to_dict wrote.

        Raises:
            ValueError: If a key is missing, unknown or of another type.
        """
        keys = {"name", "bandwidth_floor", "parameters"}
        if not isinstance(values, Mapping) or set(values) != keys:
            raise ValueError(f"a score has the keys {sorted(keys)}, got {values!r}")
        return cls(values["name"], values["bandwidth_floor"], values["parameters"])
