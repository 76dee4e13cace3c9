# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A ROS domain that no process on this machine uses, for a graph that is started whole."""

from __future__ import annotations

import fcntl
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

LAST_DOMAIN: Final = 101
"""Higher domains overlap the ports that Linux hands out."""


@contextmanager
def free_domain() -> Iterator[int]:
    """Claim a domain for the time of the context.

    Raises:
        RuntimeError: All are taken.
    """
    for offset in range(LAST_DOMAIN):
        domain = 1 + (os.getpid() + offset) % LAST_DOMAIN
        lock = _claim(domain)
        if lock is not None:
            with lock:
                yield domain
            return
    raise RuntimeError(f"no free ROS domain from 1 to {LAST_DOMAIN}")


def _claim(domain: int) -> IO[str] | None:
    """Lock a domain against others who ask here; None when one of them has it or any participant is in it."""
    lock = (Path(tempfile.gettempdir()) / f"lbm_policy_ros_domain_{domain}.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("", 7400 + 250 * domain + 10))  # unicast discovery port of the first participant
    except OSError:
        lock.close()
        return None
    return lock
