# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Refuse a chunk that would leave the planning limits: whole, with the row, the value and the limit."""

import numpy as np

from lbm_policy_node.core.execution.interpolation import ActionLayout
from lbm_policy_node.core.reasons import Reason, ReasonCode
from lbm_policy_node.core.rotations import geodesic_angle, rotation_vector_between
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.spec.spec_limits import RotationLimits, moving_names
from lbm_policy_node.core.types import Array

_SLACK = 1.0 + 1e-9
"""Rows exactly at a limit must not fail by rounding."""


class ActionLimits:
    """The limits of a spec as arrays, in column order."""

    def __init__(self, spec: RobotSpec) -> None:
        limits, names = spec.limits, spec.action_names
        moving = moving_names(spec.action)
        self.names = names
        self.layout = ActionLayout(spec.action)
        self.low = np.array([limits.position.get(n, (-np.inf, np.inf))[0] for n in names])
        self.high = np.array([limits.position.get(n, (-np.inf, np.inf))[1] for n in names])
        self.moving = np.array([names.index(n) for n in moving], dtype=np.intp)
        in_rad = {n for b in spec.action.blocks for n in b.names if not b.is_cartesian and b.unit == "rad"}
        self._turns_round = [name in in_rad for name in moving]
        self.velocity = np.array([limits.velocity[n] for n in moving])
        self.acceleration = np.array([limits.acceleration[n] for n in moving])
        self.start_jump = np.array([limits.start_jump[n] for n in moving])
        self.leash = np.array([limits.leash[n] for n in moving])
        self.rotation = limits.rotation or RotationLimits(np.inf, np.inf, np.inf, np.inf)
        box = limits.workspace or ((-np.inf,) * 3, (np.inf,) * 3)
        self._box = np.array(box[0]), np.array(box[1])
        self._cartesian = [b.columns.start for b in spec.action.blocks if b.is_cartesian]

    def check_rows(self, rows: Array, step_s: float) -> Reason | None:
        """Check the rows of a chunk on their own.

        Args:
            rows: Normalised actions, shape (n, action_dim).
            step_s: Time between them.

        Returns:
            None, or the first limit that is broken: finite, position, workspace, velocity, acceleration.
        """
        return (
            self._finite(rows)
            or self._position(rows)
            or self._workspace(rows)
            or self.check_velocity(rows, np.full(len(rows) - 1, step_s))
            or self._acceleration(rows, step_s)
        )

    def check_velocity(self, rows: Array, steps_s: Array) -> Reason | None:
        """Check the speed between rows, steps_s apart, shape (n - 1,)."""
        speed = np.abs(np.diff(rows[:, self.moving], axis=0)) / steps_s[:, None]
        if reason := self._above(speed, self.velocity, ReasonCode.VELOCITY_LIMIT, "speed", "/s", 1):
            return reason
        for columns, turns in self._turns(rows):
            rates = np.linalg.norm(turns, axis=1) / steps_s
            if reason := self._turn_above(
                rates, self.rotation.velocity, ReasonCode.VELOCITY_LIMIT, columns, 1
            ):
                return reason
        return None

    def check_start(self, current: Array, row: Array) -> Reason | None:
        """Check how far a row lies from where the robot is; shapes (action_dim,), NaN is not compared."""
        with np.errstate(invalid="ignore"):
            jump = np.abs(row - current)[None, self.moving]
        if reason := self._above(
            jump, self.start_jump, ReasonCode.START_JUMP, "distance to the start", "", 0
        ):
            return Reason(reason.code, reason.text + self._full_turn(jump[0]))
        for columns, read, _ in self.layout.rotations:
            if np.isnan(current[columns]).any():
                continue
            angle = np.array([geodesic_angle(read(current[columns]), read(row[columns]))])
            if reason := self._turn_above(angle, self.rotation.start_jump, ReasonCode.START_JUMP, columns, 0):
                return reason
        return None

    def _full_turn(self, jump: Array) -> str:
        """Return a hint where the first joint that is too far away would not be, less full turns."""
        index = int(np.argmax(jump > self.start_jump * _SLACK))
        turns = round(float(jump[index]) / (2 * np.pi))
        rest = abs(float(jump[index]) - 2 * np.pi * turns)
        if not self._turns_round[index] or turns < 1 or rest > self.start_jump[index]:
            return ""
        return "; about a full turn apart" if turns == 1 else f"; about {turns} full turns apart"

    def clamp(self, action: Array, around: Array) -> Array:
        """Return an action moved to the nearest allowed position; only for coming to rest at a border.

        Args:
            action: Shape (action_dim,).
            around: Where the robot is; if that is outside already, going back is not forced.
        """
        low, high = self.low.copy(), self.high.copy()
        for start in self._cartesian:
            box = slice(start, start + 3)
            low[box] = np.maximum(low[box], self._box[0])
            high[box] = np.minimum(high[box], self._box[1])
        return np.clip(action, np.minimum(low, around), np.maximum(high, around))

    def _finite(self, rows: Array) -> Reason | None:
        bad = _first(~np.isfinite(rows))
        if bad is None:
            return None
        row, column = bad
        text = f"row {row}: {self.names[column]} is {rows[row, column]}"
        return Reason(ReasonCode.CHUNK_NON_FINITE, text)

    def _position(self, rows: Array) -> Reason | None:
        slack = 1e-9 * np.maximum(1.0, np.abs(rows))
        bad = _first((rows < self.low - slack) | (rows > self.high + slack))
        if bad is None:
            return None
        row, column = bad
        allowed = f"[{self.low[column]:g}, {self.high[column]:g}]"
        text = f"row {row}: {self.names[column]} = {rows[row, column]:.4g} is outside {allowed}"
        return Reason(ReasonCode.POSITION_LIMIT, text)

    def _workspace(self, rows: Array) -> Reason | None:
        for start in self._cartesian:
            low, high = self._box
            xyz = rows[:, start : start + 3]
            bad = _first((xyz < low - 1e-9) | (xyz > high + 1e-9))
            if bad is not None:
                row, axis = bad
                allowed = f"[{low[axis]:g}, {high[axis]:g}]"
                where = f"row {row}: {self.names[start + axis]} = {xyz[row, axis]:.4g}"
                text = f"{where} is outside the box {allowed}"
                return Reason(ReasonCode.WORKSPACE_LIMIT, text)
        return None

    def _acceleration(self, rows: Array, step_s: float) -> Reason | None:
        acceleration = np.abs(np.diff(rows[:, self.moving], n=2, axis=0)) / step_s**2
        code = ReasonCode.ACCELERATION_LIMIT
        if reason := self._above(acceleration, self.acceleration, code, "acceleration", "/s^2", 2):
            return reason
        for columns, turns in self._turns(rows):
            rates = np.linalg.norm(np.diff(turns, axis=0), axis=1) / step_s**2
            if reason := self._turn_above(rates, self.rotation.acceleration, code, columns, 2):
                return reason
        return None

    def _turns(self, rows: Array) -> list[tuple[slice, Array]]:
        turns = []
        for columns, read, _ in self.layout.rotations:
            quaternions = read(rows[:, columns])
            turns.append((columns, rotation_vector_between(quaternions[:-1], quaternions[1:])))
        return turns

    def _above(
        self, values: Array, limit: Array, code: ReasonCode, what: str, per: str, first_row: int
    ) -> Reason | None:
        bad = _first(values > limit * _SLACK)
        if bad is None:
            return None
        row, index = bad
        name = self.names[self.moving[index]]
        text = f"row {row + first_row}: {what} of {name} is {values[row, index]:.4g}{per}, "
        text += f"limit {limit[index]:g}{per}"
        return Reason(code, text)

    def _turn_above(
        self, values: Array, limit: float, code: ReasonCode, columns: slice, first_row: int
    ) -> Reason | None:
        bad = np.flatnonzero(values > limit * _SLACK)
        if not bad.size:
            return None
        names = f"{self.names[columns.start]}..{self.names[columns.stop - 1]}"
        text = f"row {bad[0] + first_row}: rotation {names} is {values[bad[0]]:.4g}, limit {limit:g}"
        return Reason(code, text)


def _first(bad: Array) -> tuple[int, int] | None:
    """Return row and column of the first True of a matrix; asks cheaply first, for most have none."""
    return tuple(np.argwhere(bad)[0]) if bad.any() else None
