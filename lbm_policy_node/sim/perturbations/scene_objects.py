# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What the hand acts on in each task, how to move it, and whether the robot touches it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import mujoco

from lbm_policy_node.core.types import Array

if TYPE_CHECKING:
    from lbm_policy_node.sim.robot import SimulatedRobot


@dataclass(frozen=True, kw_only=True)
class SceneObject:
    """The object of a task, as bodies of Meta-World's model.

    Attributes:
        base: Body whose position Meta-World draws.
        part: Body that the hand moves; of a loose object the base itself.
        handled: Geometries of the part that the hand touches or sees as the handle, counted within the part.
        pivot: Point of the part that stays where it is when the handled geometries grow: where a handle is
            attached, m, frame of the part.
        is_loose: Whether it lies on the table rather than hanging on a hinge or slide.
    """

    base: str
    part: str
    handled: tuple[int, ...] = (0,)
    pivot: tuple[float, float, float] = (0.0, 0.0, 0.0)
    is_loose: bool = False


_PUCK = SceneObject(base="obj", part="obj", is_loose=True)
_DRAWER = SceneObject(base="drawer", part="drawer_link", handled=(1, 7, 8, 9), pivot=(0.0, -0.09, 0.0))
_WINDOW = SceneObject(
    base="window",
    part="windowb_a",
    handled=(0, 1, 2, 3, 4, 7, 8, 9, 10, 11),
    pivot=(-0.014, -0.025, 0.0),
)

OBJECTS: dict[str, SceneObject] = {
    "push": _PUCK,
    "pick-place": _PUCK,
    "door-open": SceneObject(
        base="door", part="door_link", handled=(1, 2, 5, 6, 7, 8), pivot=(0.325, -0.006, 0.0)
    ),
    "drawer-open": _DRAWER,
    "drawer-close": _DRAWER,
    "button-press": SceneObject(base="box", part="button", handled=(0, 3, 4), pivot=(0.0, -0.158, 0.0)),
    "peg-insert": SceneObject(base="peg", part="peg", is_loose=True),
    "window-open": _WINDOW,
    "window-close": _WINDOW,
}
"""By name of the task; reaching touches nothing."""

_FOLLOWING = ("_target_pos", "obj_init_pos", "window_handle_pos_init")
"""Variables of Meta-World's tasks that are places on an articulated object."""


def handled_geoms(robot: SimulatedRobot) -> list[int]:
    """Indices of the geometries that the hand acts on."""
    thing = OBJECTS[robot.task.name]
    first = int(robot.environment.model.body(thing.part).geomadr[0])
    return [first + place for place in thing.handled]


def object_dofs(robot: SimulatedRobot) -> slice:
    """Degrees of freedom of the joint that the object moves by."""
    body = robot.environment.model.body(OBJECTS[robot.task.name].part)
    return slice(int(body.dofadr[0]), int(body.dofadr[0] + body.dofnum[0]))


def move_object(robot: SimulatedRobot, shift_m: Array) -> None:
    """Displace the object by shift_m, shape (3,); of an articulated one the goal is a part, and follows."""
    thing, environment = OBJECTS[robot.task.name], robot.environment
    model, data = environment.model, environment.data
    if thing.is_loose:
        joint = int(model.body(thing.base).jntadr[0])
        start = int(model.jnt_qposadr[joint])
        data.qpos[start : start + 3] += shift_m
        data.qvel[object_dofs(robot)] = 0.0
    else:
        model.body(thing.base).pos += shift_m
        for name in _FOLLOWING:
            if getattr(environment, name, None) is not None:
                setattr(environment, name, getattr(environment, name) + shift_m)
        _move_goal_site(model, shift_m)
    mujoco.mj_forward(model, data)


def goal_position(robot: SimulatedRobot) -> Array:
    """Where the task's object (reaching: the hand) has to be, shape (3,), m."""
    assert robot.environment._target_pos is not None, "a reset places the goal"
    return robot.environment._target_pos.copy()


def move_goal(robot: SimulatedRobot, shift_m: Array) -> None:
    """Displace the goal by shift_m, shape (3,), with the marker or box that shows it; the object stays."""
    environment = robot.environment
    environment._target_pos = goal_position(robot) + shift_m
    if robot.task.name == "peg-insert":
        environment.model.body("box").pos += shift_m
    _move_goal_site(environment.model, shift_m)
    mujoco.mj_forward(environment.model, environment.data)


def touch_depth_m(robot: SimulatedRobot) -> float | None:
    """How deep robot and object press into each other, m (0 or more); None if they do not touch."""
    model, contact = robot.environment.model, robot.environment.data.contact
    roots = model.body_rootid[model.geom_bodyid[contact.geom]]
    hand = model.body_rootid[model.body("hand").id]
    thing = model.body_rootid[model.body(OBJECTS[robot.task.name].part).id]
    between = (roots == (hand, thing)).all(axis=1) | (roots == (thing, hand)).all(axis=1)
    return float(max(0.0, -contact.dist[between].min())) if between.any() else None


def _move_goal_site(model: mujoco.MjModel, shift_m: Array) -> None:
    for index in range(model.nsite):
        if model.site(index).name == "goal":
            model.site_pos[index] += shift_m
