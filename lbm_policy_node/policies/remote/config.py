# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""How a policy server is reached, and what an openpi server, which does not say, needs and gives."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from lbm_policy_node.policies.checkpoint.errors import CheckpointError
from lbm_policy_node.policies.checkpoint.field_types import check_types, is_sequence_of, require
from lbm_policy_node.policies.policy import ImageFeature, PolicySpec

KIND, OPENPI_KIND = "remote", "openpi"
API_KEY_VARIABLE = "LBM_API_KEY"


@dataclass(frozen=True)
class OpenpiConfig:
    """The policy behind an openpi server, for example a pi0.5 fine-tuned on LIBERO."""

    images: Mapping[str, Mapping[str, Any]]
    """Key of the server's observation ("observation/image") to our camera: {key, height, width}."""
    state: Mapping[str, int]
    """Key of the server's observation ("observation/state") to its width; our state is cut in this order."""
    action_dim: int
    """Width of one action."""
    horizon: int
    """Rows of its chunks."""
    n_action_steps: int
    """Rows to execute before the next chunk takes over."""
    step_s: float
    """Time between rows, s."""
    stochastic: bool = True
    """Whether two answers to one observation differ."""
    state_names: tuple[str, ...] | None = None
    action_names: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        check_types(self)
        for name in ("action_dim", "horizon", "n_action_steps", "step_s"):
            require(name, getattr(self, name), getattr(self, name) > 0, "a positive number")
        require(
            "n_action_steps", self.n_action_steps, self.n_action_steps <= self.horizon, "at most the horizon"
        )
        widths = list(self.state.values())
        require(
            "state",
            self.state,
            bool(widths) and all(type(n) is int and n > 0 for n in widths),
            "widths by key",
        )
        for key, image in self.images.items():
            sides = [image.get("height"), image.get("width")] if isinstance(image, Mapping) else [None]
            whole = all(type(side) is int and side > 0 for side in sides)
            complete = whole and set(image) == {"key", "height", "width"} and isinstance(image["key"], str)
            require(f"images.{key}", image, complete, "exactly key, height and width")
        for name, width in (("state_names", sum(widths)), ("action_names", self.action_dim)):
            names = getattr(self, name)
            named = names is None or (is_sequence_of(names, str) and len(names) == width)
            require(name, names, named, f"a list of {width} names")

    def spec(self, checkpoint_id: str) -> PolicySpec:
        """What the policy needs and gives."""
        return PolicySpec(
            kind=OPENPI_KIND,
            checkpoint_id=checkpoint_id,
            images=tuple(ImageFeature(i["key"], i["height"], i["width"]) for i in self.images.values()),
            state_dim=sum(self.state.values()),
            action_dim=self.action_dim,
            horizon=self.horizon,
            n_obs_steps=1,
            n_action_steps=self.n_action_steps,
            step_s=self.step_s,
            stochastic=self.stochastic,
            accepts_prefix=False,
            uses_language=True,
            state_names=self.state_names,
            action_names=self.action_names,
        )


@dataclass(frozen=True)
class RemoteConfig:
    """Content of config.json beside "type": "remote"."""

    url: str
    """ws://host:port, or wss:// where the server lies behind a TLS proxy."""
    api_key_file: str = ""
    """File that holds the server's key; empty: the variable LBM_API_KEY, if it is set."""
    jpeg_quality: int = 0
    """Compress images, 1 to 100; 0 sends every pixel as it is."""
    reply_timeout_s: float = 5.0
    """After this time without a whole reply the connection is given up, s."""
    connect_timeout_s: float = 10.0
    """How long loading waits for a server that is not there yet, s."""
    max_message_mb: int = 64
    """Larger replies are refused, MiB."""
    openpi: OpenpiConfig | None = field(default=None)
    """Set for an openpi server; `lbm serve` says all this itself."""

    def __post_init__(self) -> None:
        check_types(self)
        parts = urlsplit(self.url)
        plain = parts.scheme in ("ws", "wss") and parts.hostname and not parts.username
        require("url", self.url, bool(plain), "ws://host:port or wss://host:port, without a name or key")
        known = self.openpi is None or isinstance(self.openpi, OpenpiConfig)
        require("openpi", self.openpi, known, "an object that describes the policy")
        require("jpeg_quality", self.jpeg_quality, 0 <= self.jpeg_quality <= 100, "0 (raw) to 100")
        raw = self.openpi is None or not self.jpeg_quality
        require("jpeg_quality", self.jpeg_quality, raw, "0: openpi's server reads no JPEG")
        for name in ("reply_timeout_s", "connect_timeout_s", "max_message_mb"):
            require(name, getattr(self, name), getattr(self, name) > 0, "a positive number")

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], file: str = "") -> RemoteConfig:
        """Read the content of config.json.

        Raises:
            CheckpointError: Another type, an unknown or missing field, or an impossible value.
        """
        values = {key: value for key, value in data.items() if key != "type"}
        if data.get("type") != KIND:
            raise CheckpointError(file, "type", f"is {data.get('type')!r}, expected {KIND!r}")
        if isinstance(values.get("openpi"), Mapping):
            values["openpi"] = _build(OpenpiConfig, values["openpi"], file, "openpi.")
        return _build(cls, values, file, "")

    def api_key(self) -> str:
        """Return the key, or an empty text where none is configured.

        Raises:
            CheckpointError: The file cannot be read, or is empty.
        """
        if not self.api_key_file:
            return os.environ.get(API_KEY_VARIABLE, "").strip()
        try:
            key = Path(self.api_key_file).expanduser().read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise CheckpointError(self.api_key_file, "", f"the API key cannot be read ({error})") from error
        if not key:
            raise CheckpointError(self.api_key_file, "", "is empty, expected the server's API key")
        return key


def _build(kind: type[Any], data: Mapping[str, Any], file: str, prefix: str) -> Any:
    """Make a configuration of JSON values; its errors name the file and the field."""
    values = {
        key: tuple(v) if key.endswith("_names") and isinstance(v, list) else v for key, v in data.items()
    }
    unknown = sorted(set(values) - {f.name for f in fields(kind)})
    if unknown:
        raise CheckpointError(
            file, ", ".join(prefix + name for name in unknown), "unknown field of a remote policy"
        )
    try:
        return kind(**values)
    except CheckpointError as error:
        raise CheckpointError(file, prefix + error.field, error.expectation) from error
    except TypeError as error:
        raise CheckpointError(file, prefix.rstrip("."), f"a field is missing ({error})") from error
