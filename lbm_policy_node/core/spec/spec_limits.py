# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The planning limits of a robot spec: what an action chunk may not exceed."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from lbm_policy_node.core.spec.spec_actions import ActionBlock, ActionSpec
from lbm_policy_node.core.spec.spec_reader import SpecReader, is_number

Box = tuple[tuple[float, ...], tuple[float, ...]]

LEASH_M = 0.15
"""Default leash of what moves in metres: twice what the simulated arm needs in free motion at full stick."""

LEASH_RAD = 0.3
"""Default leash of what turns."""


@dataclass(frozen=True)
class RotationLimits:
    """How fast an end effector may turn, in rad, rad/s and rad/s^2.

    Attributes:
        velocity: Largest angular speed.
        acceleration: Largest angular acceleration.
        start_jump: Largest turn from the commanded orientation to the first row.
        leash: How far the operator's command may be ahead of the measured orientation.
    """

    velocity: float
    acceleration: float
    start_jump: float
    leash: float


@dataclass(frozen=True)
class LimitsSpec:
    """Planning limits (not the limits of the hardware), in action units.

    A hold-interpolated gripper has position limits only; the rotation of an ee_pose has `rotation` instead.

    Attributes:
        position: Action name to the lowest and the highest value, (low, high).
        velocity: Action name to the largest speed, per second.
        acceleration: Action name to the largest acceleration, per second squared; also of the stop.
        start_jump: Action name to the largest distance from the current command to the first row.
        leash: Action name to how far the operator's command may be ahead of the measured position; infinity
            for no limit.
        workspace: Box (min xyz, max xyz) for every end-effector target, in the base frame; None for no box.
        rotation: The same limits for the orientation of an ee_pose; None where there is none.
    """

    position: Mapping[str, tuple[float, float]]
    velocity: Mapping[str, float]
    acceleration: Mapping[str, float]
    start_jump: Mapping[str, float]
    leash: Mapping[str, float]
    workspace: Box | None
    rotation: RotationLimits | None


def read_limits(reader: SpecReader, action: ActionSpec) -> LimitsSpec:
    """Read the `limits` mapping; .inf says that there is no limit on purpose.

    Every name must appear; only `leash` has defaults.
    """
    moving = moving_names(action)
    held = tuple(n for b in action.blocks if b.interpolation == "hold" for n in b.names)
    rotating = any(block.rotation for block in action.blocks)
    cartesian = any(block.is_cartesian for block in action.blocks)
    limits = LimitsSpec(
        position=_ranges(reader.mapping("position"), sorted({*moving, *held})),
        velocity=_bounds(reader.mapping("velocity"), moving),
        acceleration=_bounds(reader.mapping("acceleration"), moving),
        start_jump=_bounds(reader.mapping("start_jump"), moving),
        leash=_leash(reader, action),
        workspace=_workspace(reader.mapping("workspace")) if cartesian else None,
        rotation=_rotation(reader.mapping("rotation")) if rotating else None,
    )
    reader.close()
    return limits


def moving_names(action: ActionSpec) -> tuple[str, ...]:
    """Return the columns that have a speed of their own: all but rotations and held grippers."""
    names: list[str] = []
    for block in action.blocks:
        if block.interpolation != "hold":
            names += block.names[:3] if block.rotation else block.names
    return tuple(names)


def _ranges(reader: SpecReader, names: list[str]) -> dict[str, tuple[float, float]]:
    ranges = {}
    for name in names:
        value = reader.raw(name)
        if (
            not isinstance(value, list)
            or len(value) != 2
            or not all(is_number(v) for v in value)
            or not value[0] < value[1]
        ):
            raise reader.fail(name, "expected [low, high] with low < high")
        ranges[name] = (float(value[0]), float(value[1]))
    reader.close()
    return ranges


def _bounds(reader: SpecReader, names: tuple[str, ...]) -> dict[str, float]:
    bounds = {}
    for name in names:
        value = reader.raw(name)
        if not is_number(value) or math.isnan(value) or value <= 0:
            raise reader.fail(name, "expected a number above 0, or .inf for no limit")
        bounds[name] = float(value)
    reader.close()
    return bounds


def _leash(limits: SpecReader, action: ActionSpec) -> dict[str, float]:
    """Read the optional `leash`; a gripper has none by default, as its command lies inside what it grasps."""
    moving = moving_names(action)
    leash = {name: _default_leash(block) for block in action.blocks for name in block.names if name in moving}
    if not limits.has("leash"):
        return leash
    given = limits.mapping("leash")
    for name in given.names():
        if name not in leash:
            raise given.fail(name, f"expected one of the columns that move, {list(moving)}")
    return leash | _bounds(given, given.names())


def _default_leash(block: ActionBlock) -> float:
    if block.is_cartesian:
        return LEASH_M
    if block.kind == "gripper":
        return math.inf
    return {"rad": LEASH_RAD, "m": LEASH_M}.get(block.unit, math.inf)


def _workspace(reader: SpecReader) -> Box:
    low, high = reader.numbers("min", 3), reader.numbers("max", 3)
    if any(a >= b for a, b in zip(low, high, strict=True)):
        raise reader.fail("max", f"expected every number above min {list(low)}")
    reader.close()
    return low, high


def _rotation(reader: SpecReader) -> RotationLimits:
    limits = RotationLimits(
        *(reader.number(key, above=0.0) for key in ("velocity", "acceleration", "start_jump")),
        leash=reader.number("leash", above=0.0, default=LEASH_RAD),
    )
    reader.close()
    return limits
