# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The plan and the results that `lbm demo` and its operator node exchange."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

EVENT_PREFIX = "@demo "
"""Starts a line of the operator node's output that holds an event as JSON."""


@dataclass(frozen=True, kw_only=True)
class Episode:
    """One instruction in one scene.

    Attributes:
        task: Task of the simulator.
        seed: Scene.
        options_json: More options of the reset; see sim.options.
        rescue: When the monitor stops the robot, the scripted operator takes over instead of ending the run.
        time_limit_s: Simulated time that it has; None takes the plan's.
    """

    task: str
    seed: int
    options_json: str = ""
    rescue: bool = False
    time_limit_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class DemoPlan:
    """The episodes, in order.

    Attributes:
        episodes: What to do.
        time_limit_s: Simulated time that each has.
        wall_limit_s: Wall time after which an episode is given up, whatever the simulated clock says.
        output: Folder for what is recorded.
        record: Wait for the recorder before the first episode.
    """

    episodes: tuple[Episode, ...]
    time_limit_s: float
    wall_limit_s: float
    output: str
    record: bool = False

    def write(self, path: Path) -> None:
        """Write as JSON."""
        path.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> DemoPlan:
        """Read what ``write`` wrote."""
        values = json.loads(path.read_text(encoding="utf-8"))
        episodes = tuple(Episode(**episode) for episode in values.pop("episodes"))
        return cls(episodes=episodes, **values)


@dataclass(frozen=True, kw_only=True)
class EpisodeResult:
    """What came of an episode.

    Attributes:
        task: Task of the simulator.
        seed: Scene.
        instruction: Instruction given to the policy.
        solved: Whether the simulator reported success.
        seconds: Simulated time from the goal's acceptance to success, or to the end without one.
        chunks: Chunks that the policy published.
        inference_ms: Median duration of an inference, ms; None without a chunk.
        commands: Commands that the executor sent to the controllers.
        ending: Why the run ended, in words.
        recording: File with frames and paths, relative to the output folder.
        human_s: Simulated time in which the operator drove.
        bag: Folder of the recorded episode, relative to the output folder; empty where nothing was recorded.
        rescue: Whether it was disturbed on purpose, for the operator to take over; counts for no task.
    """

    task: str
    seed: int
    instruction: str
    solved: bool
    seconds: float
    chunks: int
    inference_ms: float | None
    commands: int
    ending: str
    recording: str
    human_s: float = 0.0
    bag: str = ""
    rescue: bool = False

    @property
    def by_policy(self) -> bool:
        """Whether the policy solved it alone."""
        return self.solved and not self.human_s


def solved_tasks(results: Sequence[EpisodeResult]) -> int:
    """Count the tasks of which the policy solved more than half of the episodes alone."""
    by_task: dict[str, list[bool]] = {}
    for result in results:
        if not result.rescue:
            by_task.setdefault(result.task, []).append(result.by_policy)
    return sum(2 * sum(solved) > len(solved) for solved in by_task.values())
