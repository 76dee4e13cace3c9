# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What the policy node costs while it only listens, and while it runs: the body of `lbm bench-observe`."""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lbm_policy_node.bench.bench_run import Results, bench_process, run_processes
from lbm_policy_node.bench.bench_setup import HEIGHT, STEP_S, WIDTH, write_robot
from lbm_policy_node.policies.checkpoint.features import Feature
from lbm_policy_node.policies.weightless import WeightlessConfig, create_weightless

RAW, COMPRESSED = "raw", "compressed"
JOINTS = ("x", "y", "z", "gripper_opening")
INFERENCES_HZ = 5.0


@dataclass(frozen=True)
class Share:
    """Processor time per time, 1 being one core: of a process, and of its executor's thread alone."""

    process: float
    thread: float


@dataclass(frozen=True, kw_only=True)
class ObserveFigures:
    """What was measured with one kind of cameras.

    Attributes:
        cameras: RAW or COMPRESSED.
        idle: Of the policy node without a run.
        running: Of the policy node in a run.
        images_hz: Images per second that each camera has sent in the run; less than 30 on a starved machine.
        chunks_hz: Chunks per second of the run.
        load_average: Of the machine, one minute, afterwards.
    """

    cameras: str
    idle: Share
    running: Share
    images_hz: float
    chunks_hz: float
    load_average: float


def measure_observe(folder: Path, cameras: str, *, seconds: float, transport_name: str) -> ObserveFigures:
    """Let a policy node in a process of its own listen to two cameras, idle and in a run.

    Args:
        folder: For the robot spec and the checkpoint.
        cameras: RAW or COMPRESSED.
        seconds: Length of each of the two windows.
        transport_name: See docs/transport.md.

    Raises:
        BenchError: A process ended.
    """
    policy = {
        "robot": str(write_listening_robot(folder, cameras)),
        "checkpoint": str(write_checkpoint(folder)),
        "schedule": "fixed_rate",
        "rate_hz": INFERENCES_HZ,
    }
    player = {"compressed": cameras == COMPRESSED, "duration_s": float(seconds)}
    processes = [bench_process("policy_node", policy), bench_process("bench_observe", player)]

    def measure(results: Results) -> dict[str, Any]:
        process = results.supervisor.process_id("policy_node")
        idle = _window(results, process)
        return {"idle": idle, "running": _window(results, process)}

    found = run_processes(processes, transport_name, measure)
    idle, running = (found[name] for name in ("idle", "running"))
    return ObserveFigures(
        cameras=cameras,
        idle=idle["share"],
        running=running["share"],
        images_hz=running["n_images"] / running["seconds"],
        chunks_hz=running["n_chunks"] / running["seconds"],
        load_average=os.getloadavg()[0],
    )


def _window(results: Results, process: int) -> dict[str, Any]:
    first = results.next()
    began_s, before = time.monotonic(), cpu_seconds(process)
    last = results.next()
    seconds = time.monotonic() - began_s
    used = [after - b for after, b in zip(cpu_seconds(process), before, strict=True)]
    share = Share(used[0] / seconds, used[1] / seconds)
    counts = {name: last[name] - first[name] for name in ("n_chunks", "n_images")}
    return {"share": share, "seconds": seconds, **counts}


def cpu_seconds(process: int) -> tuple[float, float]:
    """Return the processor time that a process has used, and its first thread alone, from /proc."""
    paths = (f"/proc/{process}/stat", f"/proc/{process}/task/{process}/stat")
    fields = (Path(path).read_text().rpartition(")")[2].split() for path in paths)
    whole, thread = ((int(f[11]) + int(f[12])) / os.sysconf("SC_CLK_TCK") for f in fields)  # proc(5)
    return whole, thread


def write_listening_robot(folder: Path, cameras: str) -> Path:
    """Write the benchmark's robot with joints as its whole state, and with raw or compressed images."""
    path = write_robot(folder)
    spec = yaml.safe_load(path.read_text(encoding="utf-8"))
    if cameras == COMPRESSED:
        for name in ("front", "wrist"):
            spec["streams"][name]["type"] = "sensor_msgs/msg/CompressedImage"
    spec["state"] = [{"stream": "joints", "joints": list(JOINTS)}]
    path.write_text(yaml.safe_dump(spec), encoding="utf-8")
    return path


def write_checkpoint(folder: Path) -> Path:
    """Write a policy that repeats the measured state and looks at two observations, as most do."""
    images = {f"observation.images.{n}": Feature("VISUAL", (3, HEIGHT, WIDTH)) for n in ("front", "wrist")}
    config = WeightlessConfig(
        input_features={**images, "observation.state": Feature("STATE", (len(JOINTS),))},
        output_features={"action": Feature("ACTION", (4,))},
        hold_state_indices=(0, 1, 2, 3),
        n_obs_steps=2,
        n_action_steps=6,
        step_s=STEP_S,
    )
    return create_weightless(folder / "checkpoint", config)


def table(figures: Sequence[ObserveFigures]) -> str:
    """Draw the figures, in per cent of one core."""
    head = (
        f"{'two 640x480 cameras at 30 Hz':<30} {'idle':>6} {'thread':>7} {'running':>9} {'thread':>7}"
        f" {'images/s':>9} {'chunks/s':>9} {'load':>6}"
    )
    return "\n".join([head, *(_row(f) for f in figures)])


def _row(figures: ObserveFigures) -> str:
    shares: Mapping[str, float] = {
        "idle": figures.idle.process,
        "idle_thread": figures.idle.thread,
        "running": figures.running.process,
        "running_thread": figures.running.thread,
    }
    per_cent = {name: f"{100 * share:.1f}%" for name, share in shares.items()}
    return (
        f"{figures.cameras:<30} {per_cent['idle']:>6} {per_cent['idle_thread']:>7}"
        f" {per_cent['running']:>9} {per_cent['running_thread']:>7}"
        f" {figures.images_hz:>9.1f} {figures.chunks_hz:>9.1f} {figures.load_average:>6.1f}"
    )
