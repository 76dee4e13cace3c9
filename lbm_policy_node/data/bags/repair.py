# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Makes the bag of a killed recorder, or a damaged one, readable again."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from mcap.exceptions import McapError
from mcap.reader import SeekingReader

from lbm_policy_node.data.bags.bag_writer import BagWriter, write_durably
from lbm_policy_node.data.bags.bags import BagError
from lbm_policy_node.data.bags.mcap_salvage import McapSalvage

METADATA_FILE = "metadata.yaml"
_WORKPLACE = ".repairing"


@dataclass(frozen=True, kw_only=True)
class RepairReport:
    """What a repair found and did.

    Attributes:
        path: The bag's folder.
        changed: False when the bag was whole already.
        n_messages: Messages that are in the bag now.
        seconds: From the first to the last of them, s.
        lost_bytes: Bytes that could not be read.
        damaged_original: The file as it was, kept because of those bytes; None where nothing was lost.
    """

    path: Path
    changed: bool
    n_messages: int
    seconds: float
    lost_bytes: int = 0
    damaged_original: Path | None = None

    def __str__(self) -> str:
        found = f"{self.n_messages} messages over {self.seconds:.2f} s"
        if not self.changed:
            return f"{self.path}: whole, {found}"
        if self.lost_bytes:
            found += f", {self.lost_bytes} bytes unreadable (kept in {self.damaged_original})"
        return f"{self.path}: repaired, {found}"


def needs_repair(path: Path) -> bool:
    """Say, by its ends and without reading all of it, whether a bag is unfinished; not while it is recorded.

    Raises:
        BagError: There is no bag.
    """
    file = _bag_file(path)
    if _is_locked(file):
        return False
    return not (_is_indexed(file) and _metadata(path))


def repair(path: Path) -> RepairReport:
    """Read a bag up to its damage, write what was read to a new one, and replace the old one with it.

    A crash at any moment leaves the old file or the new one. A second repair changes nothing.

    Args:
        path: The bag's folder.

    Raises:
        BagError: There is no bag, it is being recorded, or its definitions are none of our recorder's.
        OSError: The disk is full, or the folder cannot be written; the old file is untouched.
    """
    file = _bag_file(path)
    with _locked(file):
        found = McapSalvage(file)
        found.survey()
        seconds = (found.last_ns - found.first_ns) * 1e-9
        common: dict[str, Any] = {"path": path, "n_messages": found.n_messages, "seconds": seconds}
        if not found.lost_bytes and _is_indexed(file) and _metadata(path):
            return RepairReport(**common, changed=False)
        kept = _replace(path, file, found)
        return RepairReport(**common, changed=True, lost_bytes=found.lost_bytes, damaged_original=kept)


def _replace(path: Path, file: Path, found: McapSalvage) -> Path | None:
    """Write the new bag and move its files over the old ones; returns where the damaged file is kept."""
    workplace = path / _WORKPLACE
    shutil.rmtree(workplace, ignore_errors=True)  # of a repair that was killed
    try:
        new = _rewrite(workplace / path.name, path, file, found)
        kept = _keep(file) if found.lost_bytes else None
        new.replace(path / new.name)
        if file.name != new.name:
            file.unlink()
        write_durably(path / METADATA_FILE, (new.parent / METADATA_FILE).read_text(encoding="utf-8"))
    finally:
        shutil.rmtree(workplace, ignore_errors=True)
    return kept


def _rewrite(new: Path, path: Path, file: Path, found: McapSalvage) -> Path:
    types = _EmbeddedTypes(path, found)
    topics = {channel.topic: found.schemas[channel.schema_id].name for channel in found.channels.values()}
    writer = BagWriter(new, topics, types)
    try:
        for message in (again := McapSalvage(file)).messages():
            writer.write(again.channels[message.channel_id].topic, message.log_time, message.data)
        custom = dict((_metadata(path) or {}).get("custom_data") or {})
        writer.close(custom | {"repaired": "true", "lost_bytes": str(found.lost_bytes)})
    except BaseException:
        writer.abort()
        raise
    return writer.file_path


def _keep(file: Path) -> Path:
    """Give the damaged file a second name, so that it survives the new one taking the first."""
    kept = file.with_name(file.name + ".damaged")
    kept.unlink(missing_ok=True)
    os.link(file, kept)
    return kept


class _EmbeddedTypes:
    """The definitions in the bag: the types need not be installed where it is repaired."""

    def __init__(self, path: Path, found: McapSalvage) -> None:
        self._definitions: dict[str, tuple[str, str]] = {}
        for channel in found.channels.values():
            schema = found.schemas.get(channel.schema_id)
            if schema is None or schema.encoding != "ros2msg":
                text = f"{channel.topic} has no ros2msg definition, so it is no recording of lbm_policy"
                raise BagError(f"'{path}': {text}; repair it with the tool that recorded it")
            digest = channel.metadata.get("topic_type_hash", "")
            self._definitions[schema.name] = schema.data.decode(), digest

    def definition(self, type_name: str) -> tuple[str, str]:
        """Return text and hash."""
        return self._definitions[type_name]


def _bag_file(path: Path) -> Path:
    files = sorted(path.glob("*.mcap"))
    own = path / f"{path.name}.mcap"
    if own in files or len(files) == 1:
        return own if own in files else files[0]
    raise BagError(f"'{path}' holds {len(files)} .mcap files; expected one, so there is nothing to repair")


def _is_indexed(file: Path) -> bool:
    """Whether the file has its end and its index, without looking at the messages."""
    try:
        with file.open("rb") as stream:
            summary = SeekingReader(stream).get_summary()
    except (McapError, ValueError, OSError, EOFError):
        return False
    return summary is not None and summary.statistics is not None


def _metadata(path: Path) -> Mapping[str, Any] | None:
    """What metadata.yaml says; None when it is missing or no metadata."""
    try:
        values = yaml.safe_load((path / METADATA_FILE).read_text(encoding="utf-8"))
        return dict(values["rosbag2_bagfile_information"])
    except (OSError, yaml.YAMLError, ValueError, KeyError, TypeError):
        return None


def _is_locked(file: Path) -> bool:
    try:
        with _locked(file):
            return False
    except BagError:
        return True


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Hold the lock that a recorder has while it writes."""
    with file.open("rb") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BagError(f"'{file}' is being recorded or repaired; wait for its end") from error
        yield
