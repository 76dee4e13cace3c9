# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The ten MT10 tasks, the instruction for each, and the scenes that two instructions share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lbm_policy_node.core.types import Array


@dataclass(frozen=True, kw_only=True)
class Task:
    """One Meta-World task.

    Attributes:
        name: Name used on the command line and in tables.
        environment: Meta-World's name of the environment and of its scripted expert.
        instruction: The language command that stands for the task.
        goal_is_visible: Whether the goal marker is drawn. It is the only sign of where to go in the goal
            tasks; elsewhere it would show the policy the task, so that language would decide nothing.
        expert_speed: Largest speed of the scripted expert, as a share of the controller's. Below 1 where the
            expert still succeeds; opening the door and inserting the peg need its full speed.
    """

    name: str
    environment: str
    instruction: str
    goal_is_visible: bool = False
    expert_speed: float = 0.5


TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        Task(name="reach", environment="reach-v3", instruction="reach the goal", goal_is_visible=True),
        Task(
            name="push", environment="push-v3", instruction="push the puck to the goal", goal_is_visible=True
        ),
        Task(
            name="pick-place",
            environment="pick-place-v3",
            instruction="pick up the puck and place it at the goal",
            goal_is_visible=True,
        ),
        Task(name="door-open", environment="door-open-v3", instruction="open the door", expert_speed=1.0),
        Task(name="drawer-open", environment="drawer-open-v3", instruction="open the drawer"),
        Task(name="drawer-close", environment="drawer-close-v3", instruction="close the drawer"),
        Task(
            name="button-press",
            environment="button-press-topdown-v3",
            instruction="press the button from above",
        ),
        Task(
            name="peg-insert",
            environment="peg-insert-side-v3",
            instruction="insert the peg into the side of the box",
            expert_speed=1.0,
        ),
        Task(name="window-open", environment="window-open-v3", instruction="open the window"),
        Task(name="window-close", environment="window-close-v3", instruction="close the window"),
    )
}


def task_named(name: str) -> Task:
    """Return the task of that name.

    Raises:
        ValueError: With the known names.
    """
    if name not in TASKS:
        raise ValueError(f"unknown task '{name}'; the tasks are: {', '.join(TASKS)}")
    return TASKS[name]


@dataclass(frozen=True, kw_only=True)
class Slider:
    """A scene with a sliding part, which one instruction opens and another closes.

    Attributes:
        joint: MuJoCo joint of the part.
        open_position_m: Joint position when fully open; closed is 0.
        low, high: Box that the part's base is placed in, the union of what both tasks use, m, world frame.
    """

    joint: str
    open_position_m: float
    low: tuple[float, float, float]
    high: tuple[float, float, float]

    def placement(self, rng: np.random.Generator) -> Array:
        """Draw a base position, shape (3,), m."""
        return rng.uniform(self.low, self.high)


DRAWER = Slider(joint="goal_slidey", open_position_m=-0.2, low=(-0.1, 0.9, 0.0), high=(0.1, 0.9, 0.0))
WINDOW = Slider(joint="window_slide", open_position_m=0.2, low=(-0.1, 0.7, 0.16), high=(0.1, 0.9, 0.2))

SLIDERS: dict[str, Slider] = {
    "drawer-open": DRAWER,
    "drawer-close": DRAWER,
    "window-open": WINDOW,
    "window-close": WINDOW,
}

OPPOSITES: tuple[tuple[str, str], ...] = (("drawer-open", "drawer-close"), ("window-open", "window-close"))
