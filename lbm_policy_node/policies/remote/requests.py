# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Requests and replies between `lbm serve` and the remote policy: observations out, samples back.

A request is a map with the keys of ``InferRequest`` and ``lbm_policy: version``; an image in it is an array,
or ``{"jpeg": bytes}``. Openpi's observations have no such key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lbm_policy_node.core.types import ImageArray, Observation
from lbm_policy_node.messages.jpeg import decode_jpeg, encode_jpeg
from lbm_policy_node.policies.policy import FloatArray, PolicySpec
from lbm_policy_node.policies.remote.protocol import PROTOCOL, VERSION

MAX_SAMPLES = 256
INFER, EMBED = "infer", "embed"


class RequestError(ValueError):
    """A request that the policy cannot answer; the text says which part, and what was expected."""


@dataclass(frozen=True, eq=False)
class InferRequest:
    """What is asked of a served policy.

    Attributes:
        history: Oldest observation first; their stamps and instructions travel along.
        n_samples: Chunks to draw.
        seed: Of the policy's noise.
        prefix: Actions to continue, shape (steps, action_dim), or None.
        wants: ``infer`` (samples, and the embedding where the policy has one) or ``embed`` (that only).
    """

    history: Sequence[Observation]
    n_samples: int = 1
    seed: int = 0
    prefix: FloatArray | None = None
    wants: str = INFER


def write_request(request: InferRequest, jpeg_quality: int) -> dict[str, Any]:
    """Return the map that travels; images are compressed where the quality is above 0."""
    return {
        PROTOCOL: VERSION,
        "wants": request.wants,
        "history": [_write_observation(o, jpeg_quality) for o in request.history],
        "n_samples": request.n_samples,
        "seed": request.seed,
        "prefix": request.prefix,
    }


def is_ours(message: Any) -> bool:
    """Whether a map is such a request rather than an observation of openpi."""
    return isinstance(message, Mapping) and PROTOCOL in message


def read_request(message: Mapping[str, Any], spec: PolicySpec) -> InferRequest:
    """Read the map; shapes are judged by the policy itself.

    Raises:
        RequestError: Another version, or a part that is missing or of another type.
    """
    if message[PROTOCOL] != VERSION:
        text = f"the request is of version {message[PROTOCOL]!r} of {PROTOCOL}; this server speaks {VERSION}"
        raise RequestError(f"{text}: install the same lbm_policy on both sides")
    wants, history = message.get("wants"), message.get("history")
    if wants not in (INFER, EMBED):
        raise RequestError(f"wants is {wants!r}; expected {INFER!r} or {EMBED!r}")
    if not isinstance(history, list) or len(history) != spec.n_obs_steps:
        size = len(history) if isinstance(history, list) else type(history).__name__
        raise RequestError(f"the history is {size}; expected {spec.n_obs_steps} observations")
    return InferRequest(
        history=tuple(_read_observation(entry, spec) for entry in history),
        n_samples=whole(message.get("n_samples", 1), "n_samples", 1, MAX_SAMPLES),
        seed=whole(message.get("seed", 0), "seed", 0, 2**63 - 1),
        prefix=_read_prefix(message.get("prefix"), spec),
        wants=wants,
    )


def whole(value: Any, name: str, low: int, high: int) -> int:
    """Return a whole number of a message.

    Raises:
        RequestError: Another type, or out of range.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not low <= value <= high:
        raise RequestError(f"{name} is {value!r}; expected a whole number from {low} to {high}")
    return int(value)


def make_observation(stamp_ns: int, images: Mapping[str, ImageArray], state: Any, prompt: Any) -> Observation:
    """Return an observation of what has arrived.

    Raises:
        RequestError: A value is not finite, or no image or vector.
    """
    if not isinstance(prompt, str):
        raise RequestError(f"the prompt is a {type(prompt).__name__}; expected text")
    if not isinstance(state, np.ndarray) or state.dtype.kind not in "iuf":
        raise RequestError(f"the state is a {type(state).__name__}; expected an array of numbers")
    try:
        return Observation(stamp_ns, images, state, prompt)
    except ValueError as error:
        raise RequestError(f"the observation is refused: {error}") from error


def _write_observation(observation: Observation, jpeg_quality: int) -> dict[str, Any]:
    def written(image: ImageArray) -> Any:
        return {"jpeg": encode_jpeg(image, jpeg_quality)} if jpeg_quality else image

    return {
        "stamp_ns": observation.stamp_ns,
        "images": {key: written(image) for key, image in observation.images.items()},
        "state": observation.state,
        "prompt": observation.instruction,
    }


def _read_observation(entry: Any, spec: PolicySpec) -> Observation:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("images"), Mapping):
        raise RequestError("an observation of the history is not a map with images")
    sizes = {feature.key: feature for feature in spec.images}
    images = {}
    for key, image in entry["images"].items():
        if key not in sizes:
            raise RequestError(f"the policy knows no camera '{key}'; it has {sorted(sizes)}")
        images[key] = read_image(image, key, sizes[key].height, sizes[key].width)
    stamp_ns = whole(entry.get("stamp_ns", 0), "stamp_ns", 0, 2**63 - 1)
    return make_observation(stamp_ns, images, entry.get("state"), entry.get("prompt", ""))


def read_image(image: Any, key: str, height: int, width: int) -> ImageArray:
    """Return the image of a camera, decompressed.

    Raises:
        RequestError: Neither an array nor JPEG bytes, or not of this size.
    """
    if isinstance(image, Mapping) and isinstance(image.get("jpeg"), bytes):
        try:
            return decode_jpeg(image["jpeg"], height, width)
        except ValueError as error:
            raise RequestError(f"'{key}': {error}") from error
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.shape != (height, width, 3):
        got = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
        raise RequestError(f"'{key}' is {got}; expected uint8 ({height}, {width}, 3)")
    return image


def _read_prefix(prefix: Any, spec: PolicySpec) -> FloatArray | None:
    if prefix is None:
        return None
    if not isinstance(prefix, np.ndarray) or prefix.ndim != 2 or prefix.shape[1] != spec.action_dim:
        raise RequestError(f"the prefix is no array of shape (steps, {spec.action_dim})")
    return prefix.astype(np.float64)
