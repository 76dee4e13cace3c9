# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A real disk of a few MiB, so that "full" is the kernel's word and not a mock's."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

MEBIBYTE = 1024 * 1024


@contextmanager
def small_disk(path: Path, *, size_mb: int) -> Iterator[Path]:
    """Mount a tmpfs at a folder, or skip the test where that is not allowed (it takes root)."""
    path.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size_mb}m", "lbm_policy_test", str(path)]
    try:
        mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount program; the disk-full tests with RLIMIT_FSIZE still run")
    if mounted.returncode:
        pytest.skip(
            f"mounting a small disk needs root: {mounted.stderr.strip()}; RLIMIT_FSIZE tests still run"
        )
    try:
        yield path
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


def fill(path: Path, n_bytes: int) -> Path:
    """Occupy space; returns the file to delete when it is to be free again."""
    ballast = path / "ballast"
    ballast.write_bytes(bytes(n_bytes))
    return ballast
