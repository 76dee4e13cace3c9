# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What a node's process does beside running the node."""

import subprocess
import sys

import pytest


@pytest.mark.slow
def test_what_is_imported_is_not_looked_at_by_the_garbage_collection():
    program = """
import gc
from lbm_policy_node.ros.executor.chunk_executor_node import run

def look():
    print(gc.get_freeze_count(), len(gc.get_objects()))
    raise SystemExit

run(look)
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=100)
    frozen, watched = map(int, ran.stdout.split())
    assert frozen > 10_000 and frozen > 5 * watched, ran.stderr
