# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The scripted operator's joystick while it drives: the expert's motion with noise."""

import numpy as np

from lbm_policy_node.core.takeover.joystick import JoyState, Joystick
from lbm_policy_node.core.types import Array
from lbm_policy_node.sim.experts import ScriptedExpert
from lbm_policy_node.sim.robot import CONTROL_RATE_HZ, MAX_STEP_M

TREMBLE_S = 0.1
"""Correlation time of the noise: a hand does not change its mind from one tick to the next."""


class OperatorHand:
    """Turns Meta-World's full state into a joystick's axes and gripper buttons."""

    def __init__(
        self, expert: ScriptedExpert, joystick: Joystick, *, noise_m_s: float, rng: np.random.Generator
    ) -> None:
        """Take hold.

        Args:
            expert: Of the task that is to be solved.
            joystick: Mapping of axes and buttons.
            noise_m_s: Standard deviation of the noise on each component of the velocity.
            rng: Source of the noise.
        """
        self._expert, self._joystick = expert, joystick
        self._noise_m_s, self._rng = noise_m_s, rng
        self._noise = np.zeros(3)
        self._ticked_ns: int | None = None

    def drive(self, observation: Array | None, now_ns: int) -> JoyState:
        """Return the joystick of this instant, dead-man switch held.

        Args:
            observation: Meta-World's full state, shape (39,); None while it is unknown: then nothing moves.
            now_ns: The ROS clock.
        """
        if observation is None:
            return self._joystick.state(np.zeros(6), dead_man=True)
        step, effort = self._expert.act_on(observation)
        velocity = step * MAX_STEP_M * CONTROL_RATE_HZ + self._tremble(now_ns)
        twist = np.append(velocity, np.zeros(3))
        return self._joystick.state(twist, dead_man=True, pressed=self._gripper(effort))

    def _tremble(self, now_ns: int) -> Array:
        """Return the noise in m/s, an Ornstein-Uhlenbeck process of the set standard deviation."""
        before_ns, self._ticked_ns = self._ticked_ns, now_ns
        elapsed_s = np.inf if before_ns is None else max(now_ns - before_ns, 0) / 1e9
        kept = float(np.exp(-elapsed_s / TREMBLE_S))
        fresh = self._rng.normal(0.0, self._noise_m_s, 3)
        self._noise = kept * self._noise + np.sqrt(1.0 - kept**2) * fresh
        return self._noise

    def _gripper(self, effort: float) -> frozenset[str]:
        """Return the button for the expert's effort; at 0 the gripper does not matter."""
        button = "gripper_close" if effort > 0.0 else "gripper_open" if effort < 0.0 else ""
        return frozenset({button} & self._joystick.source.buttons.keys())
