# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Ask a Python of its own: what it finds does not touch this process."""

import subprocess
import sys
from collections.abc import Mapping, Sequence


def run_python(arguments: Sequence[str], environment: Mapping[str, str], timeout_s: float = 60.0) -> str:
    """Run this Python in a process of its own and return what it printed.

    Raises:
        RuntimeError: It failed; with its last line.
    """
    try:
        done = subprocess.run(
            [sys.executable, *arguments],
            env=dict(environment),
            capture_output=True,
            text=True,
            timeout=timeout_s,
        )
    except subprocess.TimeoutExpired as error:
        raise RuntimeError(f"no answer within {timeout_s:g} s") from error
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise RuntimeError(lines[-1])
    return done.stdout
