# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Measure with one thread, in a process of its own."""

import json
import os
from typing import Any

from lbm_policy_node.graph.python_process import run_python

ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}


def measure_with_one_thread(module: str, *arguments: object, timeout_s: float) -> dict[str, Any]:
    """Return what a module prints as JSON.

    It runs in a process of its own: numerical libraries read their number of threads at start-up only.

    Raises:
        RuntimeError: The process failed.
    """
    call = ["-m", module, *map(str, arguments)]
    return json.loads(run_python(call, os.environ | ONE_THREAD, timeout_s=timeout_s))
