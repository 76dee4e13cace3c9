# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Makes recorded episodes without ROS and without physics: gate, policy loop, executor and writer are real.

A point mass follows its commands at once. Cameras show a grey field with a white square at the mass's place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from lbm_policy_node import __version__
from lbm_policy_node.core.execution.arbitration import ControlMode, PolicyState
from lbm_policy_node.core.execution.chunk_executor import ChunkExecutor
from lbm_policy_node.core.execution.command import Command
from lbm_policy_node.core.observation.gate import ObservationGate
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.types import ActionChunk, Array, Observation
from lbm_policy_node.data.bags.bag_writer import BagWriter
from lbm_policy_node.data.bags.message_types import MessageTypes
from lbm_policy_node.data.episodes.episode_header import ROLES, EpisodeHeader
from lbm_policy_node.data.episodes.episode_records import EventKind
from lbm_policy_node.messages.chunks import fill_chunk_message
from lbm_policy_node.messages.samples import lazy_sample
from lbm_policy_node.paths import shared_path
from lbm_policy_node.policies.policy import FloatArray, ImageFeature, PolicySpec
from lbm_policy_node.running.goal import Ending, GoalHandler
from lbm_policy_node.running.inference import Inference
from lbm_policy_node.running.policy_loop import PolicyLoop, Sampling
from lbm_policy_node.running.schedule import Mode, Schedule
from lbm_policy_node.running.simulated_worker import SimulatedWorker

START_NS = 100_000_000_000
TICK_NS = 12_500_000
TICKS_PER_STEP = 4
HORIZON = 16
TOPICS = {role: f"/{role}" for role in ROLES} | {"policy_status": "/policy_node/status"}
TYPES = MessageTypes()
"""Shared, because it makes code for each type that it meets."""
Infer = Callable[[Sequence[Observation], int, int], Array]
"""History, number of samples and seed to samples (K, horizon, 4)."""


def wave(history: Sequence[Observation], n_samples: int, seed: int) -> Array:
    """A policy without weights: 16 rows that drift from the present place, each sample with its own noise."""
    rng = np.random.default_rng(seed)
    place = np.append(history[-1].state[:3], -1.0)
    drift = np.linspace(0.0, 0.02, HORIZON)[:, None] * np.array([1.0, 0.5, 0.2, 0.0])
    noise = rng.normal(0.0, 1e-3, (n_samples, HORIZON, 4)) * (1.0, 1.0, 1.0, 0.0)
    return place + drift + noise


@dataclass(frozen=True)
class GivenPolicy:
    """A policy that answers by a function."""

    spec: PolicySpec
    function: Infer

    def infer(
        self,
        history: Sequence[Observation],
        *,
        n_samples: int = 1,
        seed: int = 0,
        prefix: FloatArray | None = None,
    ) -> FloatArray:
        """Ask the function."""
        assert prefix is None
        return self.function(history, n_samples, seed)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What happens in the episode, times in seconds since its start."""

    seconds: float = 2.0
    takeovers: tuple[tuple[float, float], ...] = ()
    outcome: EventKind | None = EventKind.SUCCESS
    instruction: str = "move the square"
    checkpoint_id: str = "wave"
    infer: Infer | None = wave
    n_obs_steps: int = 2
    horizon: int = HORIZON
    n_samples: int = 3
    replan_steps: int = 8
    latency_ticks: int = 2
    stop_level_at_s: float | None = None
    spec: Path = field(default_factory=lambda: shared_path("config/robots/metaworld.yaml"))
    roles: dict[str, str] = field(default_factory=lambda: dict(TOPICS))
    leave_out: tuple[str, ...] = ()


class EpisodeMaker:
    """Writes one episode; `make` returns its folder."""

    def __init__(self, folder: Path, recipe: Recipe) -> None:
        self.path, self._recipe = folder, recipe
        self.spec = RobotSpec.load(recipe.spec)
        self._types = TYPES
        streams = {stream.topic: stream.type for stream in self.spec.streams.values()}
        topics = streams | {topic: ROLES[role] for role, topic in recipe.roles.items()}
        header = EpisodeHeader(
            episode_id=folder.name,
            started_at="2026-01-02T03:04:05+00:00",
            started_ns=START_NS,
            instruction=recipe.instruction,
            robot=self.spec.name,
            roles=recipe.roles,
            checkpoint_id=recipe.checkpoint_id,
            software_version=__version__,
        )
        header.write(folder, recipe.spec.read_text(encoding="utf-8"))
        kept = {topic: name for topic, name in topics.items() if topic not in recipe.leave_out}
        self._topics, self._writer = topics, BagWriter(folder, kept, self._types)
        self._gate = ObservationGate(self.spec)
        self._loop = self._make_loop()
        self._executor = ChunkExecutor(self.spec)
        self._executor.on_policy_state(PolicyState.RUNNING)
        self._place = np.array([0.0, 0.6, 0.2, -1.0])
        self.now_ns = START_NS

    def make(self) -> Path:
        """Run to the end and finish the bag."""
        self._event(EventKind.STARTED, "recorder_node")
        for tick in range(round(self._recipe.seconds * 1e9 / TICK_NS)):
            self._turn()
            self._sense(tick)
            self._loop.poll(self.now_ns)
            self._loop.take_result(self.now_ns)
            self._control()
            self.now_ns += TICK_NS
        if self._recipe.outcome is not None:
            self._event(self._recipe.outcome, "simulator")
        self._event(EventKind.ENDED, "recorder_node")
        self._writer.close({"dropped": "0"})
        return self.path

    def _seconds(self) -> float:
        return (self.now_ns - START_NS) * 1e-9

    def _turn(self) -> None:
        human = any(start <= self._seconds() < end for start, end in self._recipe.takeovers)
        if human and self._executor.mode is not ControlMode.HUMAN:
            self._executor.arbitration.take_over()
            self._restart(EventKind.TAKEOVER)
        if not human and self._executor.mode is ControlMode.HUMAN:
            self._executor.arbitration.hand_back()
            self._executor.arbitration.resume()
            self._restart(EventKind.HANDBACK)

    def _restart(self, kind: EventKind) -> None:
        self._event(kind, "gamepad")
        self._loop.restart(self.now_ns)

    def _sense(self, tick: int) -> None:
        opening = 0.5 - 0.5 * self._place[3]
        for name, stream in self.spec.streams.items():
            if stream.is_image:
                if tick % TICKS_PER_STEP == 0:
                    self._send_sample(name, self._image(name))
            elif stream.is_pose:
                self._send_sample(name, self._pose())
            else:
                empty = np.zeros(0)
                fields = {"position": np.array([opening]), "velocity": empty, "effort": empty}
                self._send_sample(name, self._make(stream.type, name=["gripper_opening"], **fields))

    def _image(self, name: str) -> Any:
        image = next(i for i in self.spec.images.values() if i.stream == name)
        pixels = np.full((image.height, image.width, 3), 90, np.uint8)
        column = int(np.clip(image.width * (0.5 + 2.0 * self._place[0]), 4, image.width - 5))
        pixels[image.height // 2 - 4 : image.height // 2 + 4, column - 4 : column + 4] = 255
        sizes = {"height": image.height, "width": image.width, "step": 3 * image.width}
        kind = "sensor_msgs/msg/Image"
        return self._make(kind, **sizes, encoding="rgb8", is_bigendian=0, data=pixels.ravel())

    def _pose(self) -> Any:
        point = self._make("geometry_msgs/msg/Point", **dict(zip("xyz", self._place[:3], strict=True)))
        turn = self._make("geometry_msgs/msg/Quaternion", x=0.0, y=0.0, z=0.0, w=1.0)
        pose = self._make("geometry_msgs/msg/Pose", position=point, orientation=turn)
        return self._make("geometry_msgs/msg/PoseStamped", pose=pose)

    def _send_sample(self, name: str, message: Any) -> None:
        stream = self.spec.streams[name]
        self._send(stream.topic, message)
        self._gate.push(name, self.now_ns, lazy_sample(message, stream.type), self.now_ns)

    def _make_loop(self) -> PolicyLoop:
        """The node's own loop, by simulated time; without a policy it has nothing to run."""
        recipe, spec = self._recipe, self.spec
        policy = GivenPolicy(self._policy_spec(), recipe.infer or wave)
        goals = GoalHandler(_expect_no_end)
        goals.enabled = True
        if recipe.infer is not None:
            assert goals.start(recipe.instruction or "not said", 0.0, START_NS).ok
        return PolicyLoop(
            robot=spec,
            policy=policy.spec,
            gate=self._gate,
            worker=SimulatedWorker(Inference(policy), recipe.latency_ticks * TICK_NS),
            schedule=Schedule(Mode.CHUNK_END, spec.step_ns, recipe.replan_steps, spec.step_ns),
            sampling=Sampling(recipe.n_samples, 0, 1),
            goals=goals,
            publish=self._on_chunk,
        )

    def _policy_spec(self) -> PolicySpec:
        return PolicySpec(
            kind="given",
            checkpoint_id=self._recipe.checkpoint_id,
            images=tuple(ImageFeature(i.key, i.height, i.width) for i in self.spec.images.values()),
            state_dim=4,
            action_dim=self.spec.action_dim,
            horizon=self._recipe.horizon,
            n_obs_steps=self._recipe.n_obs_steps,
            n_action_steps=self._recipe.replan_steps,
            step_s=self.spec.step_ns * 1e-9,
            stochastic=True,
            accepts_prefix=False,
            uses_language=True,
            state_names=None,
            action_names=None,
        )

    def _on_chunk(self, chunk: ActionChunk) -> None:
        self._executor.on_chunk(chunk, self.now_ns)
        self._send("/action_chunks", self._chunk_message(chunk), chunk.observation_stamp_ns)
        self._send("/monitor_verdicts", self._verdict(chunk), chunk.observation_stamp_ns)

    def _control(self) -> None:
        command = self._executor.tick(self.now_ns, self._place)
        action = command.action
        if command.mode is ControlMode.HUMAN:
            action = self._place + np.array([0.0, 0.0, 5e-4, 0.0])
        if action is not None:
            self._place = np.array(action)
        self._send("/control_state", self._control_state(command, action))

    def _control_state(self, command: Command, action: Array | None) -> Any:
        reason = self._make("lbm_msgs/msg/Reason", code=int(command.reason.code), text=command.reason.text)
        return self._make(
            "lbm_msgs/msg/ControlState",
            mode=int(command.mode),
            reason=reason,
            source="gamepad" if command.mode is ControlMode.HUMAN else "",
            chunk_id=command.chunk_id,
            action_names=list(self.spec.action_names),
            proposed=np.zeros(0) if command.proposed is None else np.array(command.proposed),
            executed=np.zeros(0) if action is None else np.array(action),
            control_enabled=True,
        )

    def _chunk_message(self, chunk: ActionChunk) -> Any:
        return fill_chunk_message(self._types.empty("lbm_msgs/msg/ActionChunk"), chunk, frame_id="base")

    def _verdict(self, chunk: ActionChunk) -> Any:
        stop_s = self._recipe.stop_level_at_s
        stopped = stop_s is not None and self._seconds() >= stop_s
        return self._make(
            "lbm_msgs/msg/MonitorVerdict",
            monitor="energy",
            detector="score" if stopped else "",
            chunk_id=chunk.chunk_id,
            level=4 if stopped else 2,
            score=0.1 * chunk.index,
            statistic=2.0 if stopped else 0.5,
            warn_threshold=0.8,
            stop_threshold=1.0,
            overlap_steps=8,
            n_samples=len(chunk.samples),
            calibration_id="calibration",
            text="made for a test",
        )

    def _event(self, kind: EventKind, source: str) -> None:
        fields = {"instruction": self._recipe.instruction, "checkpoint_id": self._recipe.checkpoint_id}
        message = self._make(
            "lbm_msgs/msg/EpisodeEvent",
            **fields,
            episode_id=self.path.name,
            event=int(kind),
            termination_reason=0,
            source=source,
            text="",
        )
        self._send("/episode_events", message)

    def _send(self, topic: str, message: Any, stamp_ns: int | None = None) -> None:
        if topic in self._recipe.leave_out or topic not in self._topics:
            return
        message.header.stamp = self._time(self.now_ns if stamp_ns is None else stamp_ns)
        name = self._topics[topic]
        self._writer.write(topic, self.now_ns, self._types.serialize(message, name))

    def _make(self, kind_name: str, /, **fields: Any) -> Any:
        kind = self._kind(kind_name)
        if "header" in kind.__dataclass_fields__:
            fields["header"] = self._types.store.types["std_msgs/msg/Header"](self._time(0), "base")
        return kind(**fields)

    def _kind(self, name: str) -> Any:
        if name not in self._types.store.types:
            self._types.definition(name)
        return self._types.store.types[name]

    def _time(self, time_ns: int) -> Any:
        sec, nanosec = divmod(time_ns, 1_000_000_000)
        return self._types.store.types["builtin_interfaces/msg/Time"](sec, nanosec)


def _expect_no_end(ending: Ending) -> None:
    raise AssertionError(f"the run ended: {ending.termination.name} {ending.reason}")


def make_episode(folder: Path, **recipe: Any) -> Path:
    """Make an episode; see Recipe for what can be asked for."""
    return EpisodeMaker(folder, Recipe(**recipe)).make()
