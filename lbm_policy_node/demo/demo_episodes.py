# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What the demo makes of its recordings: a dataset of all episodes, and a timeline of the rescued one."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from lbm_policy_node.data.datasets.export import ExportSettings
from lbm_policy_node.data.datasets.export_run import ExportRun, Status, recorded_seconds
from lbm_policy_node.data.episodes.episode import read_episode
from lbm_policy_node.data.episodes.timeline import draw_timeline
from lbm_policy_node.demo.demo_plan import EpisodeResult

DATASET, TIMELINE = "dataset", "timeline.png"
BAR = "{desc}: {percentage:3.0f}%|{bar}| {n:.0f}/{total:.0f} s of recording"


def export_episodes(results: Sequence[EpisodeResult], output: Path) -> str:
    """Write every recorded episode into a new LeRobotDataset; returns a line that says how much.

    Raises:
        BagError: A recording cannot be read.
        ExportError: An episode has nothing to export.
    """
    paths = [output / result.bag for result in results if result.bag]
    if not paths:
        return "nothing was recorded"
    shutil.rmtree(output / DATASET, ignore_errors=True)
    seconds = sum(recorded_seconds(path) for path in paths)
    with tqdm(total=seconds, unit="s", desc="export", leave=False, bar_format=BAR, disable=None) as bar:
        run = ExportRun(output / DATASET, ExportSettings(), only="all", on_time=bar.update)
        reports = list(run.export(paths))
        run.close()
    exported = [report for report in reports if report.status is Status.EXPORTED]
    refused = [f"{r.path.name}: {'; '.join(r.messages)}" for r in reports if r.status is Status.REFUSED]
    steps = sum(report.steps for report in exported)
    text = f"{len(exported)} of {len(paths)} episodes exported, {steps} steps in {output / DATASET}/"
    return "\n".join([text, *(f"not exported: {line}" for line in refused)])


def draw_rescue(results: Sequence[EpisodeResult], output: Path) -> Path | None:
    """Draw the timeline of the rescued episode; None without one.

    Raises:
        BagError: The recording cannot be read.
    """
    rescued = [result for result in results if result.rescue and result.bag]
    if not rescued:
        return None
    return draw_timeline(read_episode(output / rescued[-1].bag), output / TIMELINE)
