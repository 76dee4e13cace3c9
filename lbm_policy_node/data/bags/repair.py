# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Makes the bag of a killed recorder, a damaged one, or one that another tool has changed, readable again.

What is judged is what a reader of the bag gets: files and metadata.yaml together.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

from lbm_policy_node.data.bags.bag_errors import BagError, RepairableBagError
from lbm_policy_node.data.bags.bag_files import METADATA_FILE, bag_files, listed_counts, read_metadata
from lbm_policy_node.data.bags.bag_metadata import FileFacts, write_metadata
from lbm_policy_node.data.bags.bag_parts import BagPart, is_indexed, survey
from lbm_policy_node.data.bags.bags import Bag
from lbm_policy_node.data.bags.repair_report import RepairReport

_WORKPLACE = ".repairing"
_ROUNDING_NS = 1_000_000
"""What the times in the metadata of other tools may differ by."""


class _BusyError(BagError):
    """Another process writes the bag."""


def needs_repair(path: Path) -> bool:
    """Say, by its ends and without reading all of it, whether repair is the answer; not while it is recorded.

    Raises:
        BagError: There is no bag.
    """
    files = bag_files(path)
    if is_recorded(path):
        return False
    if any(file.suffix == ".mcap" and not is_indexed(file) for file in files):
        return True
    try:
        with Bag(path):
            return False
    except RepairableBagError:
        return True
    except BagError:
        return False


def is_recorded(path: Path) -> bool:
    """Whether a recorder or a repair is writing a bag now.

    Raises:
        BagError: There is no bag.
    """
    try:
        with _locked(bag_files(path)):
            return False
    except _BusyError:
        return True


def repair(path: Path) -> RepairReport:
    """Write damaged files anew from what can be read, and metadata.yaml where it does not fit them.

    A crash at any moment leaves the old file or the new one. A second repair changes nothing.

    Args:
        path: The bag's folder.

    Raises:
        BagError: There is no bag, a file of it is missing, it is being recorded, or no repair helps.
        OSError: The disk is full, or the folder cannot be written; the old files are untouched.
    """
    files = bag_files(path)
    workplace = path / _WORKPLACE
    with _locked(files):
        shutil.rmtree(workplace, ignore_errors=True)  # of a repair that was killed
        try:
            return _repair(path, [survey(file, workplace) for file in files], workplace)
        finally:
            shutil.rmtree(workplace, ignore_errors=True)


def _repair(path: Path, parts: Sequence[BagPart], workplace: Path) -> RepairReport:
    n_messages = sum(part.facts.count for part in parts)
    filled = [part.facts for part in parts if part.facts.count]
    span_ns = max((f.last_ns for f in filled), default=0) - min((f.first_ns for f in filled), default=0)
    common: dict[str, Any] = {"path": path, "n_messages": n_messages, "seconds": span_ns * 1e-9}
    if all(part.whole for part in parts) and _reads_back(path, parts):
        return RepairReport(**common, changed=False)
    if not read_metadata(path):
        _check_order(path, [part.facts for part in parts])
    missing = Counter(listed_counts(path)) - _counts(parts)
    custom, mode = _kept_metadata(path, parts)
    mended = [part.mended(workplace) for part in parts]
    changed = any(new != part.plain for new, part in zip(mended, parts, strict=True))
    kept = [_keep(part.file) for part in parts if part.lost_bytes]
    facts = [_placed(path, part, new, len(parts)) for part, new in zip(parts, mended, strict=True)]
    if not read_metadata(path):
        _set_aside(path / METADATA_FILE)
    lost_bytes = sum(part.lost_bytes for part in parts)
    write_metadata(path, facts, custom | {"repaired": "true", "lost_bytes": str(lost_bytes)}, mode)
    with Bag(path):
        pass  # parts that are whole each may still not fit each other
    return RepairReport(
        **common,
        changed=True,
        lost_bytes=lost_bytes,
        damaged_original=kept[0] if kept else None,
        missing=missing,
        only_metadata=not changed,
    )


def _reads_back(path: Path, parts: Sequence[BagPart]) -> bool:
    """Whether a reader gets all that the files hold, and metadata.yaml gives their times.

    Raises:
        BagError: No repair makes it readable.
    """
    try:
        with Bag(path) as bag:
            read = Counter(topic for topic, *_ in bag.raw())
    except RepairableBagError:
        return False
    return read == _counts(parts) and _times_fit(path, [part.facts for part in parts])


def _times_fit(path: Path, files: Sequence[FileFacts]) -> bool:
    filled = [file for file in files if file.count]
    if not filled:
        return True
    first_ns, last_ns = min(file.first_ns for file in filled), max(file.last_ns for file in filled)
    values = read_metadata(path) or {}
    try:
        start_ns = values["starting_time"]["nanoseconds_since_epoch"]
        length_ns = values["duration"]["nanoseconds"]
        off_ns = max(abs(start_ns - first_ns), abs(start_ns + length_ns - last_ns))
        return off_ns <= _ROUNDING_NS and values["message_count"] == sum(file.count for file in files)
    except (KeyError, TypeError):
        return False


def _counts(parts: Sequence[BagPart]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for part in parts:
        counts.update({name: topic.count for name, topic in part.facts.topics.items() if topic.count})
    return counts


def _check_order(path: Path, files: Sequence[FileFacts]) -> None:
    """Refuse files that are copies of each other rather than the parts of one recording."""
    filled = sorted((file for file in files if file.count), key=lambda file: file.first_ns)
    for one, other in pairwise(filled):
        shared_ns = min(one.last_ns, other.last_ns) - other.first_ns
        if 2 * shared_ns >= min(one.last_ns - one.first_ns, other.last_ns - other.first_ns) > 0:
            text = f"'{one.name}' and '{other.name}' are of the same time, so no parts of one recording"
            raise BagError(f"'{path}': {text}; keep one of them here")


def _kept_metadata(path: Path, parts: Sequence[BagPart]) -> tuple[dict[str, str], str]:
    """What of the old metadata.yaml still holds: facts of the recorder, and how messages are compressed."""
    values = read_metadata(path) or {}
    custom = values.get("custom_data")
    mode = "MESSAGE" if any(part.packed_messages for part in parts) else ""
    return {str(k): str(v) for k, v in custom.items()} if isinstance(custom, dict) else {}, mode


def _placed(path: Path, part: BagPart, new: Path, n_parts: int) -> FileFacts:
    """Move a mended file to its place; a recording of one file gets the name of its folder."""
    name = f"{path.name}.mcap" if n_parts == 1 and part.salvage is not None else part.facts.name
    target = path / name
    if new != target:
        new.replace(target)
    if part.file != target:
        part.file.unlink(missing_ok=True)
    return FileFacts(
        name=name, topics=part.facts.topics, first_ns=part.facts.first_ns, last_ns=part.facts.last_ns
    )


def _keep(file: Path) -> Path:
    """Give the damaged file a second name, so that it survives the new one taking the first."""
    kept = file.with_name(file.name + ".damaged")
    kept.unlink(missing_ok=True)
    os.link(file, kept)
    return kept


def _set_aside(metadata: Path) -> None:
    """Keep what is no metadata, for whoever can make sense of it."""
    if metadata.exists() and metadata.stat().st_size:
        metadata.replace(metadata.with_name(metadata.name + ".damaged"))


@contextmanager
def _locked(files: Sequence[Path]) -> Iterator[None]:
    """Hold the locks that a recorder has while it writes."""
    with ExitStack() as stack:
        for file in files:
            stream = stack.enter_context(file.open("rb"))
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise _BusyError(f"'{file}' is being recorded or repaired; wait for its end") from error
        yield
