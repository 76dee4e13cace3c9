# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The measurement behind `lbm bench-replay`, in a process that was started with one thread; prints JSON."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lbm_policy_node import __version__
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.types import ActionChunk, Observation
from lbm_policy_node.data.bags.bag_writer import BagWriter
from lbm_policy_node.data.bags.message_types import MessageTypes
from lbm_policy_node.data.episodes.episode_header import ROLES, SPEC_FILE, EpisodeHeader
from lbm_policy_node.messages.chunks import fill_chunk_message
from lbm_policy_node.paths import shared_path
from lbm_policy_node.policies.load import load_policy
from lbm_policy_node.policies.policy import Policy
from lbm_policy_node.replay.candidate import Candidate
from lbm_policy_node.replay.run import replay

START_NS, REPLAN_STEPS = 100_000_000_000, 8
STATE_HZ = 100
TOPICS = {role: f"/{role}" for role in ROLES}


@dataclass(frozen=True)
class Size:
    """Pictures of both cameras, and how often they come."""

    width: int
    height: int
    rate_hz: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height} at {self.rate_hz} Hz"


SIZES = (Size(128, 128, 20), Size(640, 480, 30))


def make_spec(folder: Path, size: Size) -> Path:
    """The shipped simulated robot with pictures of this size."""
    text = shared_path("config/robots/metaworld.yaml").read_text(encoding="utf-8")
    path = folder / SPEC_FILE
    path.write_text(text.replace("height: 128, width: 128", f"height: {size.height}, width: {size.width}"))
    return path


def make_checkpoint(folder: Path, size: Size) -> Path:
    """The shipped weightless policy for pictures of this size."""
    source = shared_path("checkpoints/weightless")
    values = json.loads((source / "config.json").read_text(encoding="utf-8"))
    for feature in values["input_features"].values():
        if feature["type"] == "VISUAL":
            feature["shape"] = [3, size.height, size.width]
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(values), encoding="utf-8")
    (folder / "lbm_policy.json").write_bytes((source / "lbm_policy.json").read_bytes())
    return folder


class EpisodeWriter:
    """Writes an episode of a robot that stands still, with the policy's own chunks."""

    def __init__(self, folder: Path, spec_path: Path, size: Size, policy: Policy) -> None:
        self._spec, self._size, self._policy = RobotSpec.load(spec_path), size, policy
        self._types = MessageTypes()
        streams = {stream.topic: stream.type for stream in self._spec.streams.values()}
        self._kinds = streams | {TOPICS[role]: kind for role, kind in ROLES.items()}
        header = EpisodeHeader(
            episode_id=folder.name,
            started_at="2026-01-01T00:00:00+00:00",
            started_ns=START_NS,
            instruction="hold still",
            robot=self._spec.name,
            roles=TOPICS,
            checkpoint_id=policy.spec.checkpoint_id,
            software_version=__version__,
        )
        header.write(folder, spec_path.read_text(encoding="utf-8"))
        self._writer = BagWriter(folder, self._kinds, self._types)
        rng = np.random.default_rng(0)
        self._pixels = rng.integers(0, 255, (size.height, size.width, 3), dtype=np.uint8)
        self._state = np.array([0.0, 0.6, 0.2, 0.5])

    def write(self, seconds: float) -> None:
        """Write everything."""
        images, states = 1_000_000_000 // self._size.rate_hz, 1_000_000_000 // STATE_HZ
        period, end_ns = REPLAN_STEPS * self._spec.step_ns, round(seconds * 1e9)
        due = [(ns, 0) for ns in range(0, end_ns, states)] + [(ns, 1) for ns in range(0, end_ns, images)]
        chunk_ns = 0
        for ns, kind in sorted(due):
            (self._send_states, self._send_images)[kind](START_NS + ns)
            if kind == 1 and ns >= chunk_ns:
                self._send_chunk(START_NS + ns, ns // states * states + START_NS, chunk_ns // period)
                chunk_ns += period
        self._writer.close({"dropped": "0"})

    def _send_states(self, ns: int) -> None:
        x, y, z, opening = self._state
        empty = np.zeros(0)
        joint = {"position": np.array([opening]), "velocity": empty, "effort": empty}
        self._send("/joint_states", ns, name=["gripper_opening"], **joint)
        point = self._make("geometry_msgs/msg/Point", x=x, y=y, z=z)
        turn = self._make("geometry_msgs/msg/Quaternion", x=0.0, y=0.0, z=0.0, w=1.0)
        self._send(
            "/ee_pose", ns, pose=self._make("geometry_msgs/msg/Pose", position=point, orientation=turn)
        )
        reason = self._make("lbm_msgs/msg/Reason", code=0, text="")
        action = np.append(self._state[:3], 1.0)
        names, mode = (
            list(self._spec.action_names),
            {"mode": 1, "reason": reason, "source": "", "chunk_id": 1},
        )
        actions = {"action_names": names, "proposed": action, "executed": action, "control_enabled": True}
        self._send(TOPICS["control_state"], ns, **mode, **actions)

    def _send_images(self, ns: int) -> None:
        height, width = self._pixels.shape[:2]
        sizes = {"height": height, "width": width, "step": 3 * width, "is_bigendian": 0}
        for stream in self._spec.streams.values():
            if stream.is_image:
                self._send(stream.topic, ns, **sizes, encoding="rgb8", data=self._pixels.ravel())

    def _send_chunk(self, ns: int, state_ns: int, index: int) -> None:
        images = {key: self._pixels for key in self._spec.images}
        observation = Observation(ns, images, self._state, "hold still")
        samples = self._policy.infer([observation], n_samples=1)
        streams = self._spec.observation_streams
        stamps = tuple(ns if stream.is_image else state_ns for stream in streams)
        chunk = ActionChunk(
            chunk_id=index + 1,
            observation_stamp_ns=ns,
            start_ns=ns + self._spec.action.lead_ns,
            step_ns=self._spec.step_ns,
            actions=samples[0],
            samples=samples,
            action_names=self._spec.action_names,
            checkpoint_id=self._policy.spec.checkpoint_id,
            instruction="hold still",
            index=index,
            execution_horizon=REPLAN_STEPS,
            input_streams=tuple(stream.name for stream in streams),
            input_stamps_ns=(stamps,),
        )
        topic = TOPICS["action_chunks"]
        message = self._types.empty(self._kinds[topic])
        fill_chunk_message(message, chunk, frame_id=self._spec.base_frame)
        self._writer.write(topic, ns, self._types.serialize(message, self._kinds[topic]))

    def _send(self, topic: str, ns: int, **fields: Any) -> None:
        header = self._make("std_msgs/msg/Header", stamp=self._time(ns), frame_id=self._spec.base_frame)
        message = self._make(self._kinds[topic], header=header, **fields)
        self._writer.write(topic, ns, self._types.serialize(message, self._kinds[topic]))

    def _make(self, kind: str, /, **fields: Any) -> Any:
        if kind not in self._types.store.types:
            self._types.definition(kind)
        return self._types.store.types[kind](**fields)

    def _time(self, ns: int) -> Any:
        sec, nanosec = divmod(ns, 1_000_000_000)
        return self._make("builtin_interfaces/msg/Time", sec=sec, nanosec=nanosec)


def measure(size: Size, seconds: float, repeats: int) -> dict[str, Any]:
    """Replay an episode several times, the first time to warm up."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        checkpoint = make_checkpoint(folder / "checkpoint", size)
        EpisodeWriter(folder / "episode", make_spec(folder, size), size, load_policy(checkpoint)).write(
            seconds
        )
        candidate = Candidate.load(checkpoint)
        reports = [replay(folder / "episode", candidate) for _ in range(repeats + 1)][1:]
    last = reports[-1]
    if len(last.chunks) != last.n_recorded or last.largest_difference != 0.0:
        raise RuntimeError(f"the replay is wrong: {last.lost}, difference {last.largest_difference}")
    speeds = sorted(report.speed for report in reports)
    return {
        "size": str(size),
        "seconds": seconds,
        "chunks": len(last.chunks),
        "speed_median": speeds[len(speeds) // 2],
        "speed_min": speeds[0],
    }


def main(arguments: Sequence[str]) -> None:
    """Print the figures for SECONDS and REPEATS."""
    seconds, repeats = float(arguments[0]), int(arguments[1])
    results = [measure(size, seconds, repeats) for size in SIZES]
    print(json.dumps({"results": results, "load_average": os.getloadavg()[0]}))


if __name__ == "__main__":
    main(sys.argv[1:])
