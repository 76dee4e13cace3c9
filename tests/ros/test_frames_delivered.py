# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Two 640x480 cameras at 30 Hz between two processes: how many frames arrive (counted, not timed)."""

import json
import os
import subprocess
import sys

import pytest

from helpers.places import TESTS
from lbm_policy_node.graph import transport

FRAMES = 60
ENOUGH = 40
"""Best effort may lose a frame on a stalled machine; the fault this guards against, an image larger than the
shared-memory segment, loses most frames of one camera or of both."""


def frames_delivered(publisher: str, receiver: str) -> dict[str, int]:
    """Run cameras and receiver, each with its own transport, and count the frames of each camera."""
    script = str(TESTS / "helpers" / "camera_processes.py")

    def start(role: str, name: str) -> subprocess.Popen[str]:
        environment = transport.choose(name).applied_to(os.environ)
        command = [sys.executable, script, role, "--frames", str(FRAMES)]
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)

    cameras, counting = start("publish", publisher), start("receive", receiver)
    try:
        output, _ = counting.communicate(timeout=90)
    finally:
        counting.kill()
        cameras.kill()
        cameras.communicate()
    result = json.loads(output)
    assert result["done"], f"the cameras' last message did not arrive; never heard: {result['unheard']}"
    return {name: len(delays) for name, delays in result["delays_ms"].items()}


@pytest.mark.parametrize(
    ("publisher", "receiver"),
    [("large_data", "large_data"), ("mixed", "mixed"), ("mixed", "default")],
    ids=["alone_with_large_data", "mixed", "mixed_beside_a_node_on_default_settings"],
)
def test_two_cameras_arrive_whole(ros_domain: int, publisher: str, receiver: str) -> None:
    counts = frames_delivered(publisher, receiver)
    assert min(counts.values()) >= ENOUGH, counts
