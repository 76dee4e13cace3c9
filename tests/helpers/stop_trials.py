# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Stops in closed loop without DDS: executor, trajectory writer, a delay, a joint trajectory controller."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from helpers.jtc import JointTrajectoryController
from lbm_policy_node.core.execution.arbitration import PolicyState
from lbm_policy_node.core.execution.chunk_executor import ChunkExecutor
from lbm_policy_node.core.execution.standstill import STILL_SHARE
from lbm_policy_node.core.reasons import Reason, ReasonCode
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.types import ActionChunk, Array, no_samples
from lbm_policy_node.paths import shared_path
from lbm_policy_node.ros.executor.command_messages import make_writer

MS = 1_000_000
START_NS = 1_000_000 * MS
STEP_NS = 50 * MS
TAIL_NS = 200 * MS
STOP_S = 0.2
"""Every stop but the emergency stop takes this long at least."""
HOMES = {"franka_fr3": [0, -0.5, 0, -2, 0, 1.6, 0.8], "ur5e": [0, -1.5, 1.5, -1.5, -1.5, 0]}
STOPS = ("estop", "cancel", "monitor", "feedback")


@dataclass
class StopTrial:
    """One stop.

    Attributes:
        spec: The robot.
        home: Where it starts.
        stop: One of STOPS.
        speed: rad/s of joint 1 at the beginning of the chunk; later it rises to 1.2 rad/s.
        stop_ns: When the stop comes, after the chunk.
        latency_ns: From the writer to the controller, and from the joints to the executor.
        clock_ns: How far the controller's clock is ahead.
        n_refused: How many messages the controller refused.
        late_s: By how much the standstill came later than v / a + 3 ticks after the stop arrived.
        moved: How far joint 1 moved on after the stop arrived, rad.
        allowed: v^2 / 2a, what the delay lets it move, and 3 ticks, rad.
    """

    spec: RobotSpec
    home: Array
    stop: str
    speed: float
    stop_ns: int
    latency_ns: int
    clock_ns: int
    n_refused: int = 0
    late_s: float = np.inf
    moved: float = np.inf
    allowed: float = 0.0
    _wire: list[tuple[int, Any]] = field(default_factory=list)

    def run(self) -> "StopTrial":
        """Execute a chunk, stop, and watch the controller's motion."""
        executor = self._running()
        blocks = next(iter(self.spec.action.by_topic().values()))
        writer = make_writer(blocks, self.spec.action, 1.0 / self.spec.control_rate_hz)
        controller = JointTrajectoryController(list(blocks[0].output.joints or blocks[0].names), self.home)
        tick_ns = round(1e9 / self.spec.control_rate_hz)
        stop_ns = START_NS + self.stop_ns
        now_ns, stopping, arrived_ns, until_ns = START_NS, False, 0, stop_ns + 2_000 * MS
        samples: list[tuple[int, Array, Array]] = []
        while now_ns < until_ns:
            self._deliver(controller, now_ns)
            samples.append((now_ns, *controller.state(now_ns + self.clock_ns)))
            measured: Array | Reason = self._measured(samples, now_ns)
            if now_ns >= stop_ns:
                if self.stop == "feedback":
                    measured = Reason(ReasonCode.FEEDBACK_MISSING, "lost")
                elif not stopping:
                    self._press(executor)
                if not stopping:
                    stopping, arrived_ns = True, now_ns + self.latency_ns
            message = writer.message(executor.tick(now_ns, measured), now_ns)
            if message is not None:
                self._wire.append((now_ns + self.latency_ns, message))
            if stopping and now_ns > arrived_ns and until_ns > stop_ns + 1_999 * MS:
                until_ns = arrived_ns + round(self._duration_s(samples) * 1e9) + 3 * tick_ns + TAIL_NS
            now_ns += tick_ns
        self._judge(controller, samples, arrived_ns, tick_ns)
        return self

    def _running(self) -> ChunkExecutor:
        executor = ChunkExecutor(self.spec)
        executor.on_policy_state(PolicyState.RUNNING)
        steps = [self._chunk_speed(i) for i in range(16)]
        rows = np.tile([*self.home, 0.0], (16, 1))
        rows[:, 0] += np.cumsum(steps) * STEP_NS * 1e-9
        refused = executor.on_chunk(
            ActionChunk(
                chunk_id=1,
                observation_stamp_ns=START_NS,
                start_ns=START_NS + STEP_NS,
                step_ns=STEP_NS,
                actions=rows,
                samples=no_samples(*rows.shape),
                action_names=self.spec.action_names,
            ),
            START_NS,
        )
        assert refused is None, refused
        return executor

    def _chunk_speed(self, row: int) -> float:
        """Return the speed of the chunk on its way to a row, rad/s."""
        return self.speed if row < 6 else max(self.speed, min(self.speed + 0.4 * (row - 5), 1.2))

    def _press(self, executor: ChunkExecutor) -> None:
        if self.stop == "estop":
            executor.on_estop(True)
        elif self.stop == "cancel":
            executor.on_policy_state(PolicyState.IDLE)
        else:
            executor.arbitration.monitor_stop("inconsistent")

    def _deliver(self, controller: JointTrajectoryController, now_ns: int) -> None:
        while self._wire and self._wire[0][0] <= now_ns:
            due_ns, message = self._wire.pop(0)
            controller.receive(message, due_ns + self.clock_ns)

    def _measured(self, samples: list[tuple[int, Array, Array]], now_ns: int) -> Array:
        seen = next((s for s in reversed(samples) if s[0] <= now_ns - self.latency_ns), samples[0])
        has_gripper = bool(self.spec.action.blocks[1].feedback)
        return np.array([*seen[1], 0.0 if has_gripper else np.nan])

    def _duration_s(self, samples: list[tuple[int, Array, Array]]) -> float:
        """Return v / a of the fastest motion before the stop, or what the kind of stop takes at least."""
        fastest = max(abs(float(velocity[0])) for _ns, _position, velocity in samples)
        least_s = 0.0 if self.stop == "estop" else STOP_S
        joint = self.spec.action_names[0]
        return max(fastest / self.spec.limits.acceleration[joint], least_s)

    def _judge(
        self,
        controller: JointTrajectoryController,
        samples: list[tuple[int, Array, Array]],
        arrived_ns: int,
        tick_ns: int,
    ) -> None:
        joint = self.spec.action_names[0]
        still = STILL_SHARE * self.spec.limits.velocity[joint]
        moving = [ns for ns, _position, velocity in samples if abs(velocity[0]) > still]
        before = [sample for sample in samples if sample[0] <= arrived_ns]
        duration_s, tick_s = self._duration_s(before), tick_ns * 1e-9
        self.n_refused = len(controller.refused)
        self.late_s = (max(moving, default=START_NS) - arrived_ns) * 1e-9 - duration_s - 3 * tick_s
        speed = max(abs(float(velocity[0])) for _ns, _position, velocity in before)
        # A controller whose clock is behind is slower yet than the command from which the stop decelerates.
        speed = max(speed, self._chunk_speed(min(15, (self.stop_ns + tick_ns) // STEP_NS)))
        self.moved = abs(float(samples[-1][1][0] - before[-1][1][0]))
        self.allowed = speed * (0.5 * duration_s + self.latency_ns * 1e-9 + 3 * tick_s)


def random_trials(n_trials: int, seed: int) -> list[StopTrial]:
    """Run stops at random speeds and instants, with latencies to 50 ms and clocks 20 ms ahead or behind."""
    random = np.random.default_rng(seed)
    specs = {name: RobotSpec.load(shared_path(f"config/robots/{name}.yaml")) for name in HOMES}
    trials = []
    for _ in range(n_trials):
        name = str(random.choice(list(HOMES)))
        trial = StopTrial(
            spec=specs[name],
            home=np.array(HOMES[name], dtype=np.float64),
            stop=str(random.choice(STOPS)),
            speed=float(random.choice([0.0, random.uniform(0.0, 0.1), random.uniform(0.0, 1.2)])),
            stop_ns=int(random.integers(20 * MS, 800 * MS)),
            latency_ns=int(random.integers(0, 50 * MS)),
            clock_ns=int(random.integers(-20 * MS, 20 * MS)),
        )
        trials.append(trial.run())
    return trials


def table(trials: list[StopTrial]) -> str:
    """Return one line per robot and kind of stop."""
    lines = ["robot       stop      trials  refused  late (ms, worst)  moved beyond the bound (mrad, worst)"]
    for robot in HOMES:
        for stop in STOPS:
            these = [t for t in trials if t.spec.name == robot and t.stop == stop]
            if these:
                refused, late = sum(t.n_refused for t in these), max(t.late_s for t in these)
                beyond = max(t.moved - t.allowed for t in these)
                figures = f"{len(these):6d} {refused:8d} {late * 1e3:17.1f} {beyond * 1e3:21.1f}"
                lines.append(f"{robot:11s} {stop:9s} {figures}")
    return "\n".join(lines)
