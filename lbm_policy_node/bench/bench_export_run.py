# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Export recorded episodes against the clock: the body of `lbm bench-export`."""

import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from lbm_policy_node.data.datasets.export import ExportError, ExportSettings
from lbm_policy_node.data.datasets.export_run import ExportRun, Status

TARGET = 5.0


@dataclass(frozen=True, kw_only=True)
class ExportRate:
    """One export of all episodes.

    Attributes:
        recorded_s: Length of the recordings.
        wall_s, cpu_s: What exporting them took, the latter over all threads.
        load: Load average of the last minute, at the end; more than the cores means that others were at work.
    """

    recorded_s: float
    wall_s: float
    cpu_s: float
    load: float

    @property
    def times_real_time(self) -> float:
        """Seconds of recording per second of exporting."""
        return self.recorded_s / self.wall_s

    def __str__(self) -> str:
        took = f"{self.recorded_s:.1f} s recorded, {self.wall_s:.2f} s, CPU {self.cpu_s:.2f} s"
        return f"{self.times_real_time:5.1f} x real time  ({took}, load {self.load:.1f})"


def measure(paths: list[Path]) -> ExportRate:
    """Export episodes into a folder that is deleted afterwards.

    Raises:
        ExportError: An episode could not be exported.
    """
    with tempfile.TemporaryDirectory() as folder:
        wall, cpu = time.monotonic(), time.process_time()
        run = ExportRun(Path(folder) / "set", ExportSettings(instruction="bench"), on_time=lambda _: None)
        reports = list(run.export(paths))
        run.close()
        wall, cpu = time.monotonic() - wall, time.process_time() - cpu
    for report in reports:
        if report.status is not Status.EXPORTED:
            raise ExportError(f"'{report.path}' was {report.status.value}: {'; '.join(report.messages)}")
    recorded_s = sum(report.recorded_s for report in reports)
    return ExportRate(recorded_s=recorded_s, wall_s=wall, cpu_s=cpu, load=os.getloadavg()[0])
