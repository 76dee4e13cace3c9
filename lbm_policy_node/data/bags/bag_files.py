# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Which files of a folder hold a bag's messages: those that metadata.yaml lists, or those that are there."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from lbm_policy_node.data.bags.bag_errors import BagError

METADATA_FILE = "metadata.yaml"
PACKED = ".zstd"
"""What rosbag2 appends to the name of a file that it compressed as a whole."""
_KINDS = (".mcap", ".db3", ".mcap" + PACKED, ".db3" + PACKED)


def bag_files(path: Path) -> list[Path]:
    """Return the files with a bag's messages, first part first.

    Where metadata.yaml lists names that are not there, but as many files are there under other names, these
    are taken.

    Raises:
        BagError: There is none, one is missing, or one is no file that can be read.
    """
    _check_access(path / METADATA_FILE)
    listed = listed_names(path)
    files = [path / name for name in listed]
    if not listed or not all(os.path.lexists(file) for file in files):
        files = _present(path, listed)
    for file in files:
        _check_access(file)
    if len({plain_name(file).suffix for file in files}) > 1:
        raise BagError(f"'{path}' holds .mcap and .db3 files; keep those of one recording")
    return files


def listed_names(path: Path) -> list[str]:
    """Return the names in metadata.yaml, each once; none when it is missing or no metadata."""
    names = (read_metadata(path) or {}).get("relative_file_paths")
    if not isinstance(names, list):
        return []
    return list(dict.fromkeys(PurePosixPath(str(name)).name for name in names))


def read_metadata(path: Path) -> Mapping[str, Any] | None:
    """Return what metadata.yaml says; None when it is missing or no metadata."""
    try:
        values = yaml.safe_load((path / METADATA_FILE).read_text(encoding="utf-8"))
        return dict(values["rosbag2_bagfile_information"])
    except (OSError, yaml.YAMLError, ValueError, KeyError, TypeError, RecursionError):
        return None


def listed_counts(path: Path) -> dict[str, int]:
    """Return the number of messages of each topic by metadata.yaml, as far as it says so."""
    counts: dict[str, int] = {}
    topics = (read_metadata(path) or {}).get("topics_with_message_count")
    for topic in topics if isinstance(topics, list) else ():
        try:
            name, count = str(topic["topic_metadata"]["name"]), int(topic["message_count"])
        except (KeyError, TypeError, ValueError):
            continue
        counts[name] = counts.get(name, 0) + count
    return counts


def plain_name(file: Path) -> Path:
    """Return a file's name without that of the compression."""
    return Path(file.name.removesuffix(PACKED))


def _present(path: Path, listed: list[str]) -> list[Path]:
    """The files that are there, the parts of a split recording by their numbers."""
    found = sorted((file for file in path.iterdir() if file.name.endswith(_KINDS)), key=_natural)
    names = {file.name for file in found}
    found = [file for file in found if file.suffix != PACKED or plain_name(file).name not in names]
    own = [file for file in found if file.name == f"{path.name}.mcap"]
    found = own or found
    if listed and len(found) != len(listed):
        name = next(name for name in listed if not os.path.lexists(path / name))
        raise BagError(
            f"'{path / name}' is missing, and metadata.yaml lists it: copy it there; to go on without it, "
            f"delete '{path / METADATA_FILE}', then run: lbm episodes repair '{path}'"
        )
    if not found:
        raise BagError(
            f"'{path}' holds 0 .mcap files (nor .db3, nor .zstd of them); there is nothing to repair"
        )
    return found


def _natural(file: Path) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", file.name)]


def _check_access(file: Path) -> None:
    if file.is_dir():
        raise BagError(f"'{file}' is a folder; expected a file: remove it, or put the file back")
    if os.path.lexists(file) and not file.exists():
        raise BagError(f"'{file}' is a link to a file that does not exist; put the file there")
    if file.exists() and not os.access(file, os.R_OK, effective_ids=os.access in os.supports_effective_ids):
        raise BagError(f"'{file}' may not be read; run: chmod u+r '{file}'")
