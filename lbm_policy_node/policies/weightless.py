# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A deterministic policy without weights, for tests and first contact with a robot; needs no torch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from lbm_policy_node.core.types import Observation
from lbm_policy_node.policies.checkpoint.errors import CheckpointError
from lbm_policy_node.policies.checkpoint.features import ACTION_KEY, STATE_KEY, Feature, parse_features
from lbm_policy_node.policies.checkpoint.field_types import check_types, is_sequence_of
from lbm_policy_node.policies.checkpoint.files import CONFIG_FILE, file_id, read_json, write_json
from lbm_policy_node.policies.checkpoint.sidecar import Sidecar, read_sidecar, write_sidecar
from lbm_policy_node.policies.kind import PolicyKind
from lbm_policy_node.policies.policy import FloatArray, ImageFeature, PolicySpec, check_request

KIND = "weightless"


@dataclass(frozen=True)
class WeightlessConfig:
    """Holds measured values as actions, optionally with a sine on top."""

    input_features: Mapping[str, Feature]
    output_features: Mapping[str, Feature]
    hold_state_indices: tuple[int, ...]
    """For each action column the state value that it repeats."""
    horizon: int = 16
    """Rows of a chunk."""
    n_obs_steps: int = 1
    n_action_steps: int = 8
    step_s: float = 0.05
    """Time between rows, s."""
    sine_amplitude: float = 0.0
    """Added to every column, in its unit."""
    sine_period_s: float = 2.0

    def __post_init__(self) -> None:
        check_types(self)
        for key in (STATE_KEY, ACTION_KEY):
            features = self.input_features if key == STATE_KEY else self.output_features
            if key not in features or len(features[key].shape) != 1:
                raise CheckpointError("", key, "is missing or not a vector")
        for name in ("horizon", "n_obs_steps", "n_action_steps", "step_s", "sine_period_s"):
            if not getattr(self, name) > 0:
                raise CheckpointError("", name, f"is {getattr(self, name)!r}, expected a positive number")
        if self.n_action_steps > self.horizon:
            raise CheckpointError(
                "", "n_action_steps", f"is {self.n_action_steps}, expected at most the horizon"
            )
        width, states = self.output_features[ACTION_KEY].shape[0], self.input_features[STATE_KEY].shape[0]
        indices = self.hold_state_indices
        if (
            not is_sequence_of(indices, int)
            or len(indices) != width
            or not all(0 <= index < states for index in indices)
        ):
            raise CheckpointError(
                "", "hold_state_indices", f"is {indices}, expected {width} of 0 to {states - 1}"
            )

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], file: str = "") -> WeightlessConfig:
        """Read the content of config.json.

        Raises:
            CheckpointError: Another type, an unknown or missing field, or an impossible value.
        """
        values = dict(data)
        if values.pop("type", None) != KIND:
            raise CheckpointError(file, "type", f"is {data.get('type')!r}, expected {KIND!r}")
        unknown = sorted(set(values) - {f.name for f in fields(cls)})
        if unknown:
            raise CheckpointError(file, ", ".join(unknown), "unknown field of a weightless policy")
        for name in ("input_features", "output_features"):
            values[name] = parse_features(values.get(name), name, file)
        try:
            values["hold_state_indices"] = tuple(values["hold_state_indices"])
            return cls(**values)
        except CheckpointError as error:
            raise CheckpointError(file, error.field, error.expectation) from error
        except (KeyError, TypeError) as error:
            raise CheckpointError(
                file, "hold_state_indices", f"a field is missing or wrong ({error})"
            ) from error

    def to_dict(self) -> dict[str, Any]:
        """The content of config.json."""
        data: dict[str, Any] = {"type": KIND, **{f.name: getattr(self, f.name) for f in fields(self)}}
        for name in ("input_features", "output_features"):
            data[name] = {key: feature.to_dict() for key, feature in data[name].items()}
        return {**data, "hold_state_indices": list(self.hold_state_indices)}


class WeightlessPolicy:
    """Repeats the measured state, plus a sine of the ROS clock that starts at zero in each chunk."""

    def __init__(
        self, config: WeightlessConfig, checkpoint_id: str = "", sidecar: Sidecar | None = None
    ) -> None:
        """Make the policy; nothing is loaded."""
        self.config = config
        self.spec = _make_spec(config, checkpoint_id, sidecar or Sidecar())

    def infer(
        self,
        history: Sequence[Observation],
        *,
        n_samples: int = 1,
        seed: int = 0,
        prefix: FloatArray | None = None,
    ) -> FloatArray:
        """Predict chunks; see `Policy.infer`. All samples are equal, whatever the seed."""
        check_request(self.spec, history, n_samples, prefix)
        newest = history[-1]
        held = newest.state.astype(np.float64)[list(self.config.hold_state_indices)]
        rows = np.arange(self.config.horizon) * self.config.step_s
        turn = 2 * math.pi / self.config.sine_period_s
        start = (newest.stamp_ns * 1e-9) % self.config.sine_period_s
        sine = self.config.sine_amplitude * (np.sin(turn * (start + rows)) - math.sin(turn * start))
        return np.repeat((held + sine[:, None])[None], n_samples, axis=0)

    def describe(self) -> Mapping[str, str]:
        """Facts about the policy, for users."""
        sine = f"{self.config.sine_amplitude:g} every {self.config.sine_period_s:g} s"
        return {"holds state values": str(list(self.config.hold_state_indices)), "sine": sine}


def load_weightless(path: str | Path) -> WeightlessPolicy:
    """Read a weightless policy's directory.

    Raises:
        CheckpointError: As `WeightlessConfig.from_dict`.
    """
    directory = Path(path)
    file = directory / CONFIG_FILE
    config = WeightlessConfig.from_dict(read_json(file), str(file))
    sidecar = read_sidecar(directory)
    state, action = config.input_features[STATE_KEY], config.output_features[ACTION_KEY]
    sidecar.check_widths(directory, state.shape[0], action.shape[0])
    return WeightlessPolicy(config, file_id(file), sidecar)


POLICY_KIND = PolicyKind(load=lambda asked: load_weightless(asked.directory))


def create_weightless(path: str | Path, config: WeightlessConfig, sidecar: Sidecar | None = None) -> Path:
    """Write a weightless policy's directory."""
    directory = Path(path)
    directory.mkdir(parents=True, exist_ok=True)
    write_json(directory / CONFIG_FILE, config.to_dict())
    write_sidecar(directory, sidecar or Sidecar(step_s=config.step_s))
    return directory


def _make_spec(config: WeightlessConfig, checkpoint_id: str, sidecar: Sidecar) -> PolicySpec:
    images = tuple(
        ImageFeature(key, feature.shape[1], feature.shape[2])
        for key, feature in config.input_features.items()
        if feature.type == "VISUAL"
    )
    return PolicySpec(
        kind=KIND,
        checkpoint_id=checkpoint_id,
        images=images,
        state_dim=config.input_features[STATE_KEY].shape[0],
        action_dim=config.output_features[ACTION_KEY].shape[0],
        horizon=config.horizon,
        n_obs_steps=config.n_obs_steps,
        n_action_steps=config.n_action_steps,
        step_s=config.step_s,
        stochastic=False,
        accepts_prefix=False,
        uses_language=False,
        state_names=sidecar.state_names,
        action_names=sidecar.action_names,
    )
