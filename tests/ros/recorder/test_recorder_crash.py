# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""kill -9 of a recorder process at random moments: after a repair no more than the last second is missing.

LBM_CRASH_RUNS says how many moments are tried; each prints what was lost when run with ``pytest -s``. What
counts is the second before the recorder's last sign of life: a machine that gives it no time to run for a
while cannot fail the test.
"""

import os
import random
import signal
import time
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lbm_msgs.msg import ControlState, PolicyStatus, RecorderStatus
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import Image

from helpers.fake_robot import SPEC
from helpers.node_process import NodeProcess
from lbm_policy_node.data.bags.bags import Bag
from lbm_policy_node.data.bags.repair import needs_repair, repair
from lbm_policy_node.data.episodes.episode import read_episode
from lbm_policy_node.ros import qos

RUNS = int(os.environ.get("LBM_CRASH_RUNS", "3"))
PATIENCE_S = 60.0
TICK_S, TICKS_PER_IMAGE = 0.01, 4
LAST_SECOND_S = 1.0


class Source(Node):
    """Publishes a ControlState per tick, numbered by chunk_id, and images between them.

    The images are tiny: UDP, the default transport, loses messages beside large ones, and a reliable one that
    is lost holds up those behind it for up to three seconds. This test is about what a killed process loses;
    `lbm bench-recorder` has full-size images.
    """

    def __init__(self) -> None:
        super().__init__("source")
        self._control = self.create_publisher(ControlState, "/control_state", qos.CONTROL_STATE)
        self._policy = self.create_publisher(PolicyStatus, "/policy_node/status", qos.STATUS)
        self._images = [self.create_publisher(Image, topic, qos.CAMERA) for topic in ("/front", "/wrist")]
        self._image = Image(height=12, width=16, step=48, encoding="rgb8")
        self._image.data = array("B", bytes(12 * 48))
        self.create_subscription(RecorderStatus, "/recorder_node/status", self._on_status, qos.STATUS)
        self.recording = False
        self.n_safe = 0
        self.lateness_s = 0.0
        self.sent_s: list[float] = []

    def policy(self, state: int) -> None:
        """Speak as the policy node."""
        self._policy.publish(PolicyStatus(state=state))

    def tick(self) -> None:
        """Publish; ``sent_s[n]`` is the steady time of the message with chunk_id n."""
        self._control.publish(ControlState(chunk_id=len(self.sent_s)))
        self.sent_s.append(time.monotonic())
        if len(self.sent_s) % TICKS_PER_IMAGE == 0:
            for publisher in self._images:
                publisher.publish(self._image)

    def _on_status(self, status: RecorderStatus) -> None:
        self.recording = status.state == RecorderStatus.RECORDING
        self.n_safe = status.n_messages


@pytest.fixture
def source(ros) -> Iterator[Source]:
    """Gone at the end whatever happens: its status is latched, and the next recorder would hear it."""
    node = Source()
    yield node
    node.destroy_node()


class Run:
    """One recorder process and its source, until the kill."""

    def __init__(self, source: Source, seed: int, folder: Path) -> None:
        self._source, self._executor, self._folder = source, SingleThreadedExecutor(), folder
        self._executor.add_node(source)
        chance = random.Random(seed)
        self._lasts_s, self._ends = chance.uniform(0.1, 3.0), chance.random() < 0.3
        self._closes_s = chance.uniform(0.0, 0.05)
        self._n_bytes, self.wrote_s = 0, 0.0

    def until_killed(self, process: NodeProcess) -> tuple[int, float]:
        """Publish until the chosen moment; returns the first number that is due, and the moment.

        ``wrote_s`` is then when the bag was last seen to grow.
        """
        self._spin(lambda: self._source.count_subscribers("/control_state") > 0)
        self._source.policy(PolicyStatus.RUNNING)
        self._spin(lambda: self._source.recording)
        first, began_s = len(self._source.sent_s), time.monotonic()
        self._source.lateness_s = 0.0
        self._spin(lambda: time.monotonic() - began_s >= self._lasts_s)
        if self._ends:  # while it is finishing the file
            self._source.policy(PolicyStatus.IDLE)
            closing_s = time.monotonic()
            self._spin(lambda: time.monotonic() - closing_s >= self._closes_s)
        killed_s = time.monotonic()
        assert process.end(signal.SIGKILL) == -signal.SIGKILL
        self._executor.shutdown(timeout_sec=1.0)
        return first, killed_s

    def _spin(self, condition: Any) -> None:
        """Publish at the tick's rate until a condition holds."""
        deadline_s = time.monotonic() + PATIENCE_S
        due_s = time.monotonic()
        while not condition():
            assert time.monotonic() < deadline_s, "the recorder did not answer"
            if (late_s := time.monotonic() - due_s) >= 0.0:
                self._source.lateness_s = max(self._source.lateness_s, late_s)
                self._source.tick()
                due_s += TICK_S
                self._look_at_the_bag()
            self._executor.spin_once(timeout_sec=max(0.0, due_s - time.monotonic()))

    def _look_at_the_bag(self) -> None:
        n_bytes = sum(file.stat().st_size for file in self._folder.glob("*/*.mcap"))
        if n_bytes != self._n_bytes:
            self._n_bytes, self.wrote_s = n_bytes, time.monotonic()


def numbers(path: Path) -> set[int]:
    """The chunk_ids in the bag."""
    with Bag(path) as bag:
        return {message.value.chunk_id for message in bag.messages(["/control_state"])}


def slowest_arrival_s(path: Path, source: Source) -> float:
    """How long a message of the bag took from the source to the recorder, at most, s."""
    since_s = time.monotonic() - time.time()
    with Bag(path) as bag:
        arrivals = [(m.value.chunk_id, m.log_ns * 1e-9 + since_s) for m in bag.messages(["/control_state"])]
    return max((arrived_s - source.sent_s[n] for n, arrived_s in arrivals), default=0.0)


@pytest.mark.parametrize("seed", range(RUNS))
def test_a_killed_recorder_loses_no_more_than_the_last_second(source, tmp_path, seed):
    spec, folder = tmp_path / "spec.yaml", tmp_path / "episodes"
    spec.write_text(SPEC)
    with NodeProcess("recorder_node", tmp_path / "log", robot=spec, folder=folder, min_free_mb=0) as process:
        run = Run(source, seed, folder)
        first, killed_s = run.until_killed(process)
        assert "Traceback" not in process.output
    (path,) = folder.iterdir()
    was_unfinished = needs_repair(path)
    report = repair(path)
    assert report.changed == was_unfinished and not needs_repair(path)
    kept = numbers(path)
    assert report.n_messages >= source.n_safe, "what the recorder had called safe"
    assert kept >= set(range(first, max(kept, default=first - 1) + 1)), "there is a hole before the end"
    limit_s = run.wrote_s - LAST_SECOND_S - slowest_arrival_s(path, source)
    due = {n for n in range(first, len(source.sent_s)) if source.sent_s[n] < limit_s}
    assert due <= kept, f"{len(due - kept)} of {len(due)} messages older than a second are missing"
    assert read_episode(path).counts["/control_state"] == len(kept) if kept else True
    newest_s = source.sent_s[max(kept)] if kept else source.sent_s[first]
    state = "unfinished" if was_unfinished else "finished"
    figures = f"the last {killed_s - newest_s:.3f} s are missing; source late by {source.lateness_s:.3f} s"
    print(f"seed {seed}: {state}; {report}; {figures}")
