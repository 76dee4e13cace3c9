# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Policy, operator or recorder die by SIGKILL at a random moment: no jump, a known state, a readable episode.

The suite runs one of each; LBM_CRASH_RUNS=20 runs more, each with its own moment.
"""

import os
import signal
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from lbm_msgs.msg import ControlState, PolicyStatus, Reason, RecorderStatus

from helpers.executor_harness import ControlWatcher, add_executor_node
from helpers.lock_step_robot import LockStepRobot
from helpers.node_process import NodeProcess
from helpers.policy_harness import PolicyUser, make_checkpoint
from helpers.ros_graph import Graph
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.data.bags.repair import needs_repair, repair
from lbm_policy_node.data.episodes.episode import read_episode
from lbm_policy_node.messages.stamps import to_ns
from lbm_policy_node.paths import shared_path
from lbm_policy_node.policies.checkpoint.features import Feature
from lbm_policy_node.ros import qos

SPEC = shared_path("config/robots/metaworld.yaml")
VICTIMS = ("policy_node", "scripted_teleop_node", "recorder_node")
RUNS = max(3, int(os.environ.get("LBM_CRASH_RUNS", "3")))
BEGINNING_NS = 50_000_000
"""The recorder hears of the run while the control ticks go on."""
TICKS_BEFORE, TICKS_AFTER = (40, 240), 120
CHUNK_AGE_NS = 250_000_000
"""A chunk is executed for 0.2 s, and the next one is asked for before its end."""


def moving_checkpoint(folder: Path) -> Path:
    """A policy without weights, which starts fast, that moves the simulated hand in a sine."""
    cameras = {f"observation.images.{name}": Feature("VISUAL", (3, 128, 128)) for name in ("front", "wrist")}
    return make_checkpoint(
        folder, input_features={**cameras, "observation.state": Feature("STATE", (4,))}, sine_amplitude=0.1
    )


class WholeGraph:
    """The simulated robot and the executor in this process; policy, operator and recorder in their own."""

    def __init__(self, folder: Path, takeover_after_s: float) -> None:
        self.folder = folder / "episodes"
        self.graph = Graph(LockStepRobot(task="drawer-open", publish_privileged=True))
        add_executor_node(self.graph, SPEC, enable_control=True)
        asked = {
            "policy_node": {"checkpoint": moving_checkpoint(folder / "checkpoint")},
            "scripted_teleop_node": {"takeover_after_s": takeover_after_s},
            "recorder_node": {"folder": self.folder, "min_free_mb": 0},
        }
        common = {"robot": SPEC, "use_sim_time": True}
        self.processes = {
            name: NodeProcess(name, folder / f"{name}.log", **common, **own) for name, own in asked.items()
        }
        self.control, self.user = ControlWatcher(self.graph), PolicyUser(self.graph)
        self.recorder: list[RecorderStatus] = []
        node = self.user.node
        node.create_subscription(RecorderStatus, "/recorder_node/status", self.recorder.append, qos.STATUS)
        self.killed = ""

    def start(self) -> None:
        """Begin a run once everybody is there."""
        graph, node = self.graph, self.user.node
        graph.spin_until(lambda: self.user.in_state(PolicyStatus.IDLE, Reason.OK), "the policy process")
        graph.spin_until(lambda: node.count_publishers("/joy"), "the operator process")
        graph.spin_until(lambda: self.recorder, "the recorder process")
        graph.step(8)
        while self.user.start().error_code == Reason.NOT_ACTIVE:  # its clock has not begun
            graph.step()
        graph.spin_until(lambda: self.recorder[-1].state == RecorderStatus.RECORDING, "the recording")

    def run(self, ticks: int) -> None:
        """Tick, and let the policy keep up while it lives."""
        for _ in range(ticks):
            self.graph.step()
            if self.killed != "policy_node":
                self.graph.wait(self._policy_keeps_up, seconds=0.5)

    def _policy_keeps_up(self) -> bool:
        """Whether its newest chunk is as young as it would be on a real robot."""
        chunks = self.user.chunks
        return bool(chunks) and self.graph.robot.now_ns - to_ns(chunks[-1].header.stamp) < CHUNK_AGE_NS

    def kill(self, name: str) -> None:
        """End a process without a warning."""
        assert self.processes[name].end(signal.SIGKILL) == -signal.SIGKILL
        self.killed = name

    def close(self) -> None:
        """End everything."""
        for process in self.processes.values():
            process.__exit__()
        self.graph.close()


@pytest.fixture(params=range(RUNS))
def crashed(request, ros: None, tmp_path: Path) -> Iterator[tuple[WholeGraph, str, int]]:
    """A graph, which of its processes is to die, and after how many ticks."""
    rng = np.random.default_rng([7, request.param])
    whole = WholeGraph(tmp_path, takeover_after_s=float(rng.uniform(0.3, 1.0)))
    yield whole, VICTIMS[request.param % 3], int(rng.integers(*TICKS_BEFORE))
    whole.close()


def test_no_jump_and_a_readable_episode_whoever_dies(crashed):
    whole, victim, ticks = crashed
    whole.start()
    whole.run(ticks)
    died_ns = whole.graph.robot.now_ns
    whole.kill(victim)
    whole.run(TICKS_AFTER)
    check_steps(whole.control.states)
    check_state(whole, victim)
    check_episode(whole, victim, died_ns)


def check_steps(states: list[ControlState]) -> None:
    """No two successive commands lie farther apart than the velocity limit allows."""
    limits = RobotSpec.load(SPEC).limits.velocity
    allowed = np.array([limits[name] for name in ("x", "y", "z")])
    commanded = [(to_ns(s.header.stamp), np.array(s.executed[:3])) for s in states if s.executed]
    assert len(commanded) > 20
    for (before_ns, before), (after_ns, after) in pairwise(commanded):
        step_m = np.abs(after - before)
        # after a pause without commands the robot may have been moved; it starts from where it is
        assert (step_m <= allowed * (after_ns - before_ns) * 1e-9 * 1.0001).all(), (before_ns, step_m)


def check_state(whole: WholeGraph, victim: str) -> None:
    """Who is gone does not drive any more."""
    mode = whole.control.state.mode
    if victim == "scripted_teleop_node":
        assert mode != ControlState.HUMAN
    if victim == "policy_node":
        assert mode != ControlState.POLICY


def check_episode(whole: WholeGraph, victim: str, died_ns: int) -> None:
    """What was recorded is there, but for at most the last second before the recorder died."""
    if victim != "recorder_node":
        assert whole.processes["recorder_node"].end(signal.SIGINT) == 0
    (path,) = whole.folder.iterdir()
    assert needs_repair(path) == (victim == "recorder_node")
    if victim == "recorder_node":
        repair(path)
    episode = read_episode(path)
    seen = {to_ns(state.header.stamp) for state in whole.control.states}
    recorded = set(episode.ticks.stamps_ns.tolist())
    assert recorded <= seen
    last_ns = died_ns - 1_000_000_000 if victim == "recorder_node" else max(seen)
    first_ns = episode.start_ns + BEGINNING_NS
    expected = {stamp for stamp in seen if first_ns <= stamp <= last_ns}
    assert expected <= recorded
