# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Reading and writing the files of a checkpoint, with errors that name them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lbm_policy_node.policies.checkpoint.errors import CheckpointError

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        CheckpointError: The file is missing, not JSON, or not an object.
    """
    if not path.is_file():
        raise CheckpointError(path, "", "file is missing")
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise CheckpointError(path, "", f"is not valid JSON ({error})") from error
    if not isinstance(data, dict):
        raise CheckpointError(path, "", f"holds a {type(data).__name__}, expected an object")
    return data


def write_json(path: Path, data: Mapping[str, Any], indent: int = 4) -> None:
    """Write a JSON object."""
    path.write_text(json.dumps(data, indent=indent) + "\n", encoding="utf-8")


def file_id(path: Path) -> str:
    """First 16 hexadecimal digits of a file's SHA-256."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()[:16]
