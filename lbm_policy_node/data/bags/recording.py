# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""One episode being written: a queue, a thread that empties it into the bag, and what went wrong.

::

    callback --put--> MessageQueue --thread--> BagWriter --every FLUSH_S--> operating system --close--> disk
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import shutil
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from lbm_policy_node.core.reasons import OK, Reason, ReasonCode
from lbm_policy_node.data.bags.bag_writer import BagWriter
from lbm_policy_node.data.bags.message_queue import MessageQueue, RawMessage
from lbm_policy_node.data.bags.message_types import MessageTypes
from lbm_policy_node.data.bags.recording_limits import MEBIBYTE, RecordingLimits
from lbm_policy_node.data.episodes.episode_header import EpisodeHeader

POLL_S = 0.02
"""How often the thread looks into the queue: waking it for each message would cost the callbacks more."""
FLUSH_S = 0.2
"""What is older has left the process, so that killing it loses no more."""
SPACE_S = 1.0
"""How often the free space is looked at, at least."""
_FULL = (errno.ENOSPC, errno.EDQUOT)


def reason_of(error: OSError) -> Reason:
    """Say what keeps an episode from being written."""
    code = ReasonCode.DISK_FULL if error.errno in _FULL else ReasonCode.RECORDING_FAILED
    return Reason(code, f"{error.filename or ''} {error.strerror or error}".strip())


def new_episode_id() -> str:
    """Return a name that sorts by wall time, ``YYYYMMDD-HHMMSS-<4 hex>``."""
    return f"{datetime.now():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def check_space(folder: Path, min_free_bytes: int) -> Reason:
    """Say whether the disk of a folder has enough space left.

    Raises:
        OSError: The folder cannot be looked at.
    """
    found = os.statvfs(folder)
    free = found.f_bavail * found.f_frsize
    if free >= min_free_bytes:
        return OK
    free_mb, least_mb = free / MEBIBYTE, min_free_bytes / MEBIBYTE
    text = f"'{folder}' has {free_mb:.0f} MiB left, min_free_mb is {least_mb:.0f}: delete or move episodes"
    return Reason(ReasonCode.DISK_FULL, text)


class Recording:
    """An episode on its way to the disk.

    Threads: methods and attributes belong to one thread, the node's; the recording's own thread touches the
    file. It calls ``wake`` when ``reason`` has changed and when it ends.

    Attributes:
        header: What was known at the beginning.
        path: The episode's folder.
        reason: OK; DISK_FULL while there is just enough space left to finish; or why writing has ended early.
        failed: Whether writing has ended early; `lbm episodes repair` then finishes the file.
    """

    def __init__(
        self,
        folder: Path,
        header: EpisodeHeader,
        spec_text: str,
        topics: Mapping[str, str],
        *,
        types: MessageTypes,
        limits: RecordingLimits,
        wake: Callable[[], None],
        qos: Mapping[str, str] | None = None,
    ) -> None:
        """Make the folder and the files, and start the thread.

        Args:
            folder: Where episodes are kept; made if it does not exist.
            header: Of the episode.
            spec_text: Content of the robot spec.
            topics: Topic to message type.
            types: Definitions of the messages.
            limits: Bounds.
            wake: See the class; must be thread-safe.
            qos: Topic to what its publishers offer; see BagWriter.

        Raises:
            OSError: Something cannot be written; ENOSPC also when less than the least free space is left.
        """
        folder.mkdir(parents=True, exist_ok=True)
        if not (space := check_space(folder, limits.min_free_bytes)).ok:
            raise OSError(errno.ENOSPC, space.text)
        self.header, self.path, self.reason, self.failed = header, folder / header.episode_id, OK, False
        self._limits, self._wake = limits, wake
        self._queue = MessageQueue(max_bytes=limits.queue_bytes, max_messages=limits.queue_messages)
        self.path.mkdir()
        try:
            header.write(self.path, spec_text)
            self._writer = BagWriter(self.path, topics, types, qos=qos)
        except BaseException:
            shutil.rmtree(self.path, ignore_errors=True)  # no message is in it
            raise
        self._facts: dict[str, str] = {}
        self._stopping, self._ended = threading.Event(), threading.Event()
        self._n_bytes_checked = self._n_flushed = 0
        self._thread = threading.Thread(target=self._work, name="recorder", daemon=True)
        self._thread.start()

    def put(self, topic: str, log_ns: int, data: bytes) -> bool:
        """Hand over a message: CDR bytes and the ROS time of arrival; False when it was dropped."""
        return not self.failed and self._queue.put(RawMessage(topic, log_ns, data))

    def finish(self, facts: Mapping[str, str]) -> None:
        """Have the rest written and the file closed; returns at once.

        Args:
            facts: Kept in the bag's custom data beside the counts of what was dropped.
        """
        self._facts = dict(facts)
        self._stopping.set()

    def wait(self, timeout_s: float) -> bool:
        """Wait for the end; False when that takes longer."""
        return self._ended.wait(timeout_s)

    @property
    def done(self) -> bool:
        """Whether all is on the disk, or writing has failed."""
        return self._ended.is_set()

    @property
    def n_messages(self) -> int:
        """Messages that have left this process: they survive its death."""
        return self._n_flushed

    @property
    def n_bytes(self) -> int:
        """Payload written."""
        return self._writer.n_bytes

    @property
    def dropped(self) -> dict[str, int]:
        """Messages lost because the queue was full, by topic."""
        return self._queue.dropped

    @property
    def queue_share(self) -> float:
        """How full the queue is, 0 to 1."""
        return self._queue.share

    def _work(self) -> None:
        try:
            self._write_until_stopped()
            self._writer.close({**self._facts, **self._drop_facts()})
            self._n_flushed = sum(self._writer.counts.values())
        except OSError as error:
            self._fail(reason_of(error))
        except Exception:  # a bug must be seen as a status, and must not leave the queue filling for ever
            self._fail(Reason(ReasonCode.RECORDING_FAILED, traceback.format_exc()))
        self._ended.set()
        self._wake()

    def _write_until_stopped(self) -> None:
        flushed_s = checked_s = time.monotonic()
        stopping = False
        while not stopping:
            stopping = self._stopping.wait(POLL_S)  # read before the queue: what came before it gets written
            more = True
            while more:
                message = self._queue.pop()
                if more := message is not None:
                    self._writer.write(*message)
                if (now_s := time.monotonic()) - flushed_s >= FLUSH_S:
                    self._flush()
                    flushed_s = now_s
                if now_s - checked_s >= SPACE_S or self._much_was_written:
                    self._check_space()
                    checked_s = now_s

    def _flush(self) -> None:
        n_written = sum(self._writer.counts.values())
        self._writer.flush()
        self._n_flushed = n_written

    @property
    def _much_was_written(self) -> bool:
        """Whether a disk that had enough a moment ago may have too little now."""
        written = self._writer.n_bytes - self._n_bytes_checked
        return written > self._limits.min_free_bytes // 4 > 0

    def _check_space(self) -> None:
        self._n_bytes_checked = self._writer.n_bytes
        if self.reason.ok and not (reason := check_space(self.path, self._limits.min_free_bytes)).ok:
            self.reason = reason
            self._wake()

    def _drop_facts(self) -> dict[str, str]:
        dropped = self.dropped
        return {"dropped": str(sum(dropped.values())), "dropped_topics": json.dumps(dropped)}

    def _fail(self, reason: Reason) -> None:
        """Stop taking messages; what reached the disk stays there."""
        self.reason = Reason(reason.code, f"{reason.text}; then run: lbm episodes repair '{self.path}'")
        self.failed = True
        self._queue.clear()
        self._writer.abort()
