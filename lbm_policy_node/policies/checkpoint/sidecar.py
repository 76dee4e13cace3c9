# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""`lbm_policy.json` beside config.json: what LeRobot's format has no place for and its loader ignores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from lbm_policy_node.policies.checkpoint.errors import CheckpointError
from lbm_policy_node.policies.checkpoint.field_types import check_types, is_sequence_of, require
from lbm_policy_node.policies.checkpoint.files import read_json, write_json

SIDECAR_FILE = "lbm_policy.json"


@dataclass(frozen=True)
class Sidecar:
    """Facts about a checkpoint that help to match it with a robot."""

    step_s: float | None = None
    """Time between action rows and between observation steps, s."""
    state_names: tuple[str, ...] | None = None
    """Names of the proprio values, in order."""
    action_names: tuple[str, ...] | None = None
    """Names of the action columns, in order."""
    towers: Mapping[str, Mapping[str, Any]] | None = None
    """Architecture of the CLIP towers ("vision", "text"), where the weights' shapes do not show it."""
    provenance: Mapping[str, Any] = field(default_factory=dict)
    """How the checkpoint was made; free form."""
    absent_cameras: tuple[str, ...] = ()
    """Cameras of config.json that this robot lacks, for policies that can mask them (pi0)."""

    def __post_init__(self) -> None:
        check_types(self)
        require("step_s", self.step_s, self.step_s is None or self.step_s > 0, "a positive number of seconds")
        for name in ("state_names", "action_names", "absent_cameras"):
            value = getattr(self, name)
            require(name, value, value is None or is_sequence_of(value, str), "a list of names")
        for name, tower in (self.towers or {}).items():
            require(f"towers.{name}", tower, isinstance(tower, Mapping), "a mapping")

    def check_widths(self, directory: Path, state_dim: int, action_dim: int) -> None:
        """Names must be as many as the values that they name.

        Raises:
            CheckpointError: Naming the list that is too long or too short.
        """
        for name, width in (("state_names", state_dim), ("action_names", action_dim)):
            value = getattr(self, name)
            if value is not None and len(value) != width:
                raise CheckpointError(
                    directory / SIDECAR_FILE, name, f"has {len(value)} names, expected {width}"
                )


def read_sidecar(directory: Path) -> Sidecar:
    """Read the sidecar; a checkpoint without one says nothing.

    Raises:
        CheckpointError: An unknown key or a wrong value.
    """
    path = directory / SIDECAR_FILE
    if not path.exists():
        return Sidecar()
    data = read_json(path)
    unknown = sorted(set(data) - {f.name for f in fields(Sidecar)})
    if unknown:
        raise CheckpointError(path, ", ".join(unknown), "unknown field")
    for name in ("state_names", "action_names", "absent_cameras"):
        if isinstance(data.get(name), list):
            data[name] = tuple(data[name])
    try:
        return Sidecar(**data)
    except CheckpointError as error:
        raise CheckpointError(path, error.field, error.expectation) from error


def write_sidecar(directory: Path, sidecar: Sidecar) -> None:
    """Write the facts that are known."""
    write_json(directory / SIDECAR_FILE, {key: value for key, value in asdict(sidecar).items() if value})
