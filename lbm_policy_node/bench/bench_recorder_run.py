# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What recording costs, and what is lost: the body of `lbm bench-recorder`."""

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

from lbm_policy_node.bench.bench_run import Results, bench_process, run_processes
from lbm_policy_node.bench.bench_setup import write_robot
from lbm_policy_node.data.bags.bags import Bag

HAND_OFF_TARGET_MS = 0.2
_STAMP = struct.Struct("<iI")
_CDR_HEADER = 4


@dataclass(frozen=True, kw_only=True)
class RecorderFigures:
    """What was measured.

    Attributes:
        hand_off_median_ms: Of an image's callback in the recorder: median over the seconds of the run of the
            median of the last 100 images.
        hand_off_p99_ms: The same of the 99th percentile.
        sent: Messages sent after recording had begun.
        dropped: Of all, dropped because the queue to the disk was full.
        missing: Of those sent, not in the bag for whatever reason, transport included.
        seconds: How long was sent.
        bytes_per_s: Payload written.
        cpu_share: Of one core, recorder process.
        load_average: Of one minute, before and after.
    """

    hand_off_median_ms: float
    hand_off_p99_ms: float
    sent: int
    dropped: int
    missing: int
    seconds: float
    bytes_per_s: float
    cpu_share: float
    load_average: tuple[float, float]

    def __str__(self) -> str:
        fast = _verdict(self.hand_off_median_ms <= HAND_OFF_TARGET_MS)
        whole = _verdict(self.dropped + self.missing == 0)
        before, after = self.load_average
        return "\n  ".join(
            [
                f"recorder: two 640x480 cameras at 30 Hz, three states at 100 Hz, {self.seconds:.0f} s",
                f"hand-off per image: median {self.hand_off_median_ms:.3f}  "
                f"p99 {self.hand_off_p99_ms:.3f} ms; "
                f"target median <= {HAND_OFF_TARGET_MS:g}: {fast}",
                f"lost: {self.dropped} dropped, {self.missing} of {self.sent} missing; target 0: {whole}",
                f"written: {self.bytes_per_s / 1e6:.1f} MB/s; CPU {100 * self.cpu_share:.0f} % of one core; "
                f"load average {before:.1f} before, {after:.1f} after",
            ]
        )


def measure_recorder(folder: Path, episodes: Path, *, seconds: float, transport_name: str) -> RecorderFigures:
    """Record a played robot with a recorder in a process of its own.

    Args:
        folder: For the robot spec.
        episodes: Where the episode is written; its disk is the one that is measured.
        seconds: How long.
        transport_name: See docs/transport.md.

    Raises:
        BenchError: A process ended.
    """
    parameters = {"robot": str(write_robot(folder)), "folder": str(episodes), "min_free_mb": 0}
    processes = [
        bench_process("recorder_node", parameters),
        bench_process("bench_recorder", {"duration_s": float(seconds)}),
    ]
    load_before = os.getloadavg()[0]

    def measure(results: Results) -> dict[str, Any]:
        recorder = results.supervisor.process_id("recorder_node")
        results.next()  # ready
        before_s = cpu_seconds(recorder)
        results.next()  # all sent
        used_s = cpu_seconds(recorder) - before_s
        return {"cpu_s": used_s, **results.next()}

    found = run_processes(processes, transport_name, measure)
    hand_off = np.array(found["hand_off_ms"] or [[np.nan, np.nan]])
    sent = sum(found["sent"].values())
    return RecorderFigures(
        hand_off_median_ms=float(np.nanmedian(hand_off[:, 0])),
        hand_off_p99_ms=float(np.nanmedian(hand_off[:, 1])),
        sent=sent,
        dropped=found["n_dropped"],
        missing=sent - count_since(Path(found["path"]), found["began_ns"]),
        seconds=found["seconds"],
        bytes_per_s=found["n_bytes"] / found["seconds"],
        cpu_share=found["cpu_s"] / found["seconds"],
        load_average=(load_before, os.getloadavg()[0]),
    )


def count_since(path: Path, began_ns: int) -> int:
    """Count the messages of robot and executor whose header stamp, first in their CDR bytes, is not older."""
    count = 0
    with Bag(path) as bag:
        topics = [topic for topic in bag.types if topic.startswith("/policy/") or topic == "/control_state"]
        for _topic, _log_ns, data in bag.raw(topics):
            sec, nanosec = _STAMP.unpack_from(data, _CDR_HEADER)
            count += sec * 1_000_000_000 + nanosec >= began_ns
    return count


def cpu_seconds(process_id: int) -> float:
    """Return the processor time that a process has used, from /proc."""
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")  # utime and stime, see proc(5)


def _verdict(met: bool) -> str:
    return click.style("met", fg="green") if met else click.style("missed", fg="red")
