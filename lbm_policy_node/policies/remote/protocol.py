# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What server and client say about a policy before the first request: openpi's metadata, filled by us.

::

    client                                server
      |  GET /, Authorization: Api-Key ...  |
      |<-- metadata (msgpack) --------------|   once, right after the connection opens
      |-- request (msgpack) --------------->|   requests.py, or an openpi observation
      |<-- reply (msgpack), or a text ------|   a text frame says what went wrong
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from lbm_policy_node.policies.policy import ImageFeature, PolicySpec

PROTOCOL, VERSION = "lbm_policy", 1
HEALTH_PATH = "/healthz"
MAX_HORIZON, MAX_WIDTH, MAX_IMAGE_SIDE = 10_000, 10_000, 10_000

_WHOLE = ("state_dim", "action_dim", "horizon", "n_obs_steps", "n_action_steps")
_FLAGS = ("stochastic", "accepts_prefix", "uses_language")


class ProtocolError(ValueError):
    """The other side speaks something else; the text says what came and what was expected."""


def api_key_header(key: str) -> dict[str, str]:
    """The header that openpi's client sends; empty without a key."""
    return {"Authorization": f"Api-Key {key}"} if key else {}


def metadata(spec: PolicySpec, description: Mapping[str, str], max_message_bytes: int) -> dict[str, Any]:
    """Describe a served policy, and the largest request that is read, in plain types."""
    return {
        "protocol": PROTOCOL,
        "version": VERSION,
        "policy": asdict(spec),
        "max_message_bytes": max_message_bytes,
        "description": {str(key): str(value) for key, value in description.items()},
    }


def speaks_ours(announced: Any) -> bool:
    """Whether metadata come from `lbm serve`, of whatever version; openpi's name no protocol."""
    return isinstance(announced, Mapping) and announced.get("protocol") == PROTOCOL


def message_limit(announced: Mapping[str, Any]) -> int:
    """The largest request that the server reads, bytes.

    Raises:
        ProtocolError: It does not say so.
    """
    limit = announced.get("max_message_bytes")
    if type(limit) is not int or limit < 1:
        raise ProtocolError(f"the server's max_message_bytes is {limit!r}, expected a whole number")
    return limit


def spec_of(announced: Any) -> PolicySpec:
    """Read the served policy's spec.

    Raises:
        ProtocolError: Another protocol or version, or a field that is missing or impossible.
    """
    if not speaks_ours(announced):
        name = announced.get("protocol") if isinstance(announced, Mapping) else type(announced).__name__
        raise ProtocolError(f"the server's protocol is {name!r}, expected {PROTOCOL!r}")
    if announced.get("version") != VERSION:
        text = f"the server speaks version {announced.get('version')!r} of {PROTOCOL}, expected {VERSION}"
        raise ProtocolError(f"{text}: install the same lbm_policy on both sides")
    policy = announced.get("policy")
    if not isinstance(policy, Mapping):
        raise ProtocolError(f"the server describes its policy as {policy!r}, expected a map")
    missing = sorted({f.name for f in fields(PolicySpec)} - set(policy))
    if missing:
        raise ProtocolError(f"the server's description of its policy lacks {', '.join(missing)}")
    return _checked(policy)


def _checked(policy: Mapping[str, Any]) -> PolicySpec:
    values = {f.name: policy[f.name] for f in fields(PolicySpec)}
    for name in ("kind", "checkpoint_id"):
        _require(name, values[name], isinstance(values[name], str))
    for name in _WHOLE:
        _require(name, values[name], _whole(values[name], 1, MAX_HORIZON if name == "horizon" else MAX_WIDTH))
    _require("n_action_steps", values["n_action_steps"], values["n_action_steps"] <= values["horizon"])
    _require("embedding_dim", values["embedding_dim"], _whole(values["embedding_dim"], 0, 1_000_000))
    for name in _FLAGS:
        _require(name, values[name], isinstance(values[name], bool))
    step_s = values["step_s"]
    _require("step_s", step_s, step_s is None or (isinstance(step_s, float) and 0 < step_s < 3600))
    for name, width in (("state_names", "state_dim"), ("action_names", "action_dim")):
        values[name] = _names(name, values[name], values[width])
    values["images"] = _images(values["images"])
    return PolicySpec(**values)


def _names(field: str, names: Any, count: int) -> tuple[str, ...] | None:
    texts = isinstance(names, (list, tuple)) and all(isinstance(n, str) for n in names)
    _require(field, names, names is None or (texts and len(names) == count))
    return None if names is None else tuple(names)


def _images(images: Any) -> tuple[ImageFeature, ...]:
    _require(
        "images", images, isinstance(images, (list, tuple)) and all(isinstance(i, Mapping) for i in images)
    )
    for image in images:
        sides = [image.get(side) for side in ("height", "width")]
        _require(
            "images",
            image,
            isinstance(image.get("key"), str) and all(_whole(n, 1, MAX_IMAGE_SIDE) for n in sides),
        )
    return tuple(ImageFeature(image["key"], image["height"], image["width"]) for image in images)


def _whole(value: Any, low: int, high: int) -> bool:
    return type(value) is int and low <= value <= high


def _require(field: str, value: Any, holds: bool) -> None:
    if not holds:
        raise ProtocolError(f"the server describes its policy with {field} = {value!r}, which is impossible")
