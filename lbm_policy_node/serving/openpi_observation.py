# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Openpi's observations: one map of arrays, by keys that this file translates to a policy's own.

A camera "observation.images.front" is also found as "observation/images/front", "observation/front" or
"images/front", nested maps included. Openpi's examples name cameras by what they show: "observation/image"
and "observation/exterior_image_1_left" are the first camera that is no wrist camera,
"observation/wrist_image" and "observation/wrist_image_left" the only wrist camera. The state is
"observation/state", "observation.state" or "state". More keys can be given to the server; keys that nobody
needs are ignored, as openpi's policies do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from lbm_policy_node.core.types import ImageArray
from lbm_policy_node.policies.checkpoint.features import STATE_KEY
from lbm_policy_node.policies.policy import ImageFeature, PolicySpec
from lbm_policy_node.policies.remote.requests import (
    MAX_SAMPLES,
    InferRequest,
    RequestError,
    make_observation,
    read_image,
    whole,
)

IMAGES_PREFIX = "observation.images."
STATE_KEYS = (STATE_KEY, "observation/state", "state")
SCENE_KEYS = ("observation/image", "observation/exterior_image_1_left")
WRIST_KEYS = ("observation/wrist_image", "observation/wrist_image_left")
MAX_DEPTH = 4


class KeyMap:
    """Which keys of an openpi observation mean which input of a policy."""

    def __init__(self, spec: PolicySpec, more: Mapping[str, str] | None = None) -> None:
        """Derive the keys.

        Args:
            spec: Of the policy.
            more: Further keys, each with what it means: a camera's key, or "observation.state".

        Raises:
            ValueError: A further key means something that the policy does not have.
        """
        cameras = [feature.key for feature in spec.images]
        self.keys: dict[str, tuple[str, ...]] = {key: _spellings(key) for key in cameras}
        self.keys[STATE_KEY] = STATE_KEYS
        scene = [key for key in cameras if "wrist" not in key]
        wrist = [key for key in cameras if "wrist" in key]
        if scene:
            self.keys[scene[0]] += SCENE_KEYS
        if len(wrist) == 1:
            self.keys[wrist[0]] += WRIST_KEYS
        for key, meaning in (more or {}).items():
            if meaning not in self.keys:
                raise ValueError(f"'{key}' is mapped to '{meaning}'; the policy has {sorted(self.keys)}")
            self.keys[meaning] += (key,)

    def find(self, observation: Mapping[str, Any], meaning: str) -> Any:
        """Return the value of an input.

        Raises:
            RequestError: It is missing, or there under two keys.
        """
        found = [key for key in self.keys[meaning] if key in observation]
        if len(found) != 1:
            what = f"is there under {found}" if found else f"is missing; the keys are {sorted(observation)}"
            raise RequestError(f"'{meaning}' {what}; expected it under one of {list(self.keys[meaning])}")
        return observation[found[0]]


def read_observation(message: Any, spec: PolicySpec, keys: KeyMap, seed: int) -> InferRequest:
    """Turn an openpi observation into a request.

    Images are uint8 (height, width, 3) or (3, height, width) in the policy's size. A policy with several
    observation steps gets them along a leading axis of images and state, oldest first; without that axis the
    one observation stands for all of them. "n_samples" and "seed" may be given beside.

    Raises:
        RequestError: Something is missing, or has another type or shape.
    """
    if not isinstance(message, Mapping):
        raise RequestError(f"the request is a {type(message).__name__}; expected a map")
    flat = _flatten(message)
    states = _steps(keys.find(flat, STATE_KEY), STATE_KEY, 1, spec.n_obs_steps)
    images = {
        feature.key: [
            _image(image, feature)
            for image in _steps(keys.find(flat, feature.key), feature.key, 3, spec.n_obs_steps)
        ]
        for feature in spec.images
    }
    prompt = flat.get("prompt", "")
    return InferRequest(
        history=tuple(
            make_observation(0, {key: steps[i] for key, steps in images.items()}, state, prompt)
            for i, state in enumerate(states)
        ),
        n_samples=whole(flat.get("n_samples", 1), "n_samples", 1, MAX_SAMPLES),
        seed=whole(flat.get("seed", seed), "seed", 0, 2**63 - 1),
    )


def _spellings(key: str) -> tuple[str, ...]:
    name = key.removeprefix(IMAGES_PREFIX)
    slashed = key.replace(".", "/")
    return tuple(dict.fromkeys((key, slashed, f"observation/{name}", f"images/{name}")))


def _flatten(message: Mapping[Any, Any], prefix: str = "", depth: int = 0) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in message.items():
        if not isinstance(key, str) or depth > MAX_DEPTH:
            raise RequestError(f"the key {key!r} of the observation is no text, or too deep")
        if isinstance(value, Mapping):
            flat |= _flatten(value, f"{prefix}{key}/", depth + 1)
        else:
            flat[prefix + key] = value
    return flat


def _steps(value: Any, meaning: str, axes: int, n_steps: int) -> list[np.ndarray[Any, Any]]:
    """Split a leading time axis; without one the value stands for every step."""
    if not isinstance(value, np.ndarray) or value.ndim not in (axes, axes + 1):
        got = f"an array of shape {value.shape}" if isinstance(value, np.ndarray) else type(value).__name__
        raise RequestError(f"'{meaning}' is {got}; expected an array of {axes} axes")
    if value.ndim == axes:
        return [value] * n_steps
    if len(value) != n_steps:
        raise RequestError(f"'{meaning}' has {len(value)} steps; the policy needs {n_steps}")
    return list(value)


def _image(image: np.ndarray[Any, Any], feature: ImageFeature) -> ImageArray:
    if image.shape == (3, feature.height, feature.width):
        image = image.transpose(1, 2, 0)
    return read_image(image, feature.key, feature.height, feature.width)
