# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Stands in for an operator at the gamepad: watches, takes over, finishes the task, releases, and reports it.

```
              a trigger           0.3-0.6 s              solved for hold_s, or gave up
   WATCHING ------------> REACTING -----------> DRIVING -------------> RELEASING
      ^                       ^   does not drive   |                       | handed back
      |                       +--------------------+                       v
      +--- from anywhere: a new scene, an emergency stop ----------- REPORTING: presses a button until heard
```
"""

from enum import Enum, auto

import numpy as np

from lbm_policy_node.core.execution.arbitration import ControlMode
from lbm_policy_node.core.takeover.joystick import JoyState, Joystick
from lbm_policy_node.core.types import Array
from lbm_policy_node.sim.experts import ScriptedExpert
from lbm_policy_node.sim.operator.operator_hand import OperatorHand
from lbm_policy_node.sim.operator.operator_settings import OperatorSettings
from lbm_policy_node.sim.operator.operator_triggers import OperatorTriggers
from lbm_policy_node.sim.tasks import task_named

JUMP_M = 0.05
"""A hand moves 1.7 cm per control tick; what moved farther from one to the next was placed by a reset."""
BLIND_NS = 250_000_000
"""Age of the newest state of the simulator from which on the operator holds the stick still."""
NOTICE_NS = 300_000_000
"""How long the operator presses without driving before it releases and presses again."""
PRESS_NS, PRESS_AGAIN_NS, PRESSES = 100_000_000, 500_000_000, 5
"""How long it presses a button, how long it waits for an answer before it presses again, and how often."""


class Phase(Enum):
    """See the picture of the module."""

    WATCHING = auto()
    REACTING = auto()
    DRIVING = auto()
    RELEASING = auto()
    REPORTING = auto()


class ScriptedOperator:
    """Takes what an operator would see and the ROS clock, returns the joystick. Call it from one thread.

    Attributes:
        phase: What it is doing.
        task: Name of the task that it can solve; empty while it knows none.
    """

    def __init__(self, settings: OperatorSettings, joystick: Joystick) -> None:
        """Watch; nothing is done before the task is known.

        Raises:
            ValueError: The spec maps no button to what it is to press afterwards.
        """
        _check_buttons(settings, joystick)
        self._settings, self._joystick = settings, joystick
        self._rng = np.random.default_rng(settings.seed)
        self._triggers = OperatorTriggers(settings)
        self._hand: OperatorHand | None = None
        self.task = ""
        self._observation: tuple[int, Array] | None = None
        self._mode, self._success = ControlMode.HOLD, False
        self.phase, self._since_ns, self._report = Phase.WATCHING, 0, ""
        self._heard = False
        self._act_ns = 0  # end of the reaction time
        self._drove_ns = 0  # when it last had the robot
        self._solved_ns: int | None = None  # since when the task is solved

    def on_task(self, name: str) -> None:
        """Take the task to solve.

        Raises:
            ValueError: With the known names.
        """
        noise_m_s = self._settings.noise_m_s
        expert = ScriptedExpert(task_named(name))
        self._hand = OperatorHand(expert, self._joystick, noise_m_s=noise_m_s, rng=self._rng)
        self.task = name

    def on_observation(self, observation: Array, now_ns: int) -> None:
        """Take Meta-World's full state, shape (39,), which begins with the hand's position."""
        before, self._observation = self._observation, (now_ns, observation)
        if before is not None and np.linalg.norm(observation[:3] - before[1][:3]) > JUMP_M:
            self.on_new_scene()

    def on_new_scene(self) -> None:
        """Watch a scene that has just been laid out; what the old one left behind triggers nothing."""
        self._triggers = OperatorTriggers(self._settings)
        self.phase, self._since_ns, self._report = Phase.WATCHING, 0, ""
        self._success = False

    def on_success(self, success: bool) -> None:
        """Take whether the task is solved at present."""
        self._success = success

    def on_control(self, mode: ControlMode, code: int, now_ns: int) -> None:
        """Take who drives and why (a ReasonCode)."""
        self._mode = mode
        self._triggers.on_control(mode, code, now_ns)

    def on_heard(self, button: str) -> None:
        """Take that a button of the joystick has been noticed."""
        self._heard = self._heard or button == self._report

    def on_request(self, take_over: bool) -> None:
        """Take over on request, or release without pressing anything afterwards."""
        active = self.phase in (Phase.REACTING, Phase.DRIVING)
        self._triggers.on_request(take_over and not active)
        if active and not take_over:
            self.phase, self._report = Phase.RELEASING, ""

    def tick(self, now_ns: int) -> JoyState:
        """Return the joystick of this instant."""
        if now_ns < self._since_ns:  # the clock went back
            self.on_new_scene()
        self._move_on(now_ns)
        if self.phase is Phase.DRIVING and self._hand:
            return self._hand.drive(self._seen(now_ns), now_ns)
        pressing = self.phase is Phase.REPORTING and (now_ns - self._since_ns) % PRESS_AGAIN_NS < PRESS_NS
        pressed = frozenset({self._report}) if pressing else frozenset[str]()
        return self._joystick.state(np.zeros(6), dead_man=False, pressed=pressed)

    def _move_on(self, now_ns: int) -> None:
        elapsed_ns = now_ns - self._since_ns
        if self._mode is ControlMode.STOPPED:
            self._enter(Phase.WATCHING, now_ns)
        elif self.phase is Phase.WATCHING:
            if self._hand and self._triggers.take(now_ns, solved=self._success):
                self._react(now_ns)
        elif self.phase is Phase.REACTING:
            if now_ns >= self._act_ns:
                self._drove_ns, self._solved_ns = now_ns, None
                self._enter(Phase.DRIVING, now_ns)
        elif self.phase is Phase.DRIVING:
            self._drive(now_ns)
        elif self.phase is Phase.RELEASING:
            if self._mode is not ControlMode.HUMAN:
                self._enter(Phase.REPORTING if self._report else Phase.WATCHING, now_ns)
        elif self._heard or elapsed_ns >= PRESSES * PRESS_AGAIN_NS:
            self._enter(Phase.WATCHING, now_ns)

    def _react(self, now_ns: int) -> None:
        low_s, high_s = self._settings.reaction_low_s, self._settings.reaction_high_s
        self._act_ns = now_ns + round(self._rng.uniform(low_s, high_s) * 1e9)
        self._enter(Phase.REACTING, now_ns)

    def _drive(self, now_ns: int) -> None:
        """Go on driving, release when the task is solved or will not be, or press again."""
        if not self._success:
            self._solved_ns = None
        elif self._solved_ns is None:
            self._solved_ns = now_ns
        if self._mode is ControlMode.HUMAN:
            self._drove_ns = now_ns
        settings = self._settings
        if self._solved_ns is not None and now_ns - self._solved_ns >= settings.hold_s * 1e9:
            self._release(now_ns, gave_up=False)
        elif now_ns - self._since_ns >= settings.give_up_s * 1e9:
            self._release(now_ns, gave_up=True)
        elif now_ns - self._drove_ns >= NOTICE_NS:
            self._react(now_ns)

    def _release(self, now_ns: int, *, gave_up: bool) -> None:
        self._report, self._heard = self._settings.report(gave_up=gave_up), False
        self._enter(Phase.RELEASING, now_ns)

    def _enter(self, phase: Phase, now_ns: int) -> None:
        self.phase, self._since_ns = phase, now_ns

    def _seen(self, now_ns: int) -> Array | None:
        if self._observation is None or now_ns - self._observation[0] > BLIND_NS:
            return None
        return self._observation[1]


def _check_buttons(settings: OperatorSettings, joystick: Joystick) -> None:
    source = joystick.source
    needed = {settings.report(gave_up=False), settings.report(gave_up=True)} - {""}
    if missing := sorted(needed - source.buttons.keys()):
        raise ValueError(
            f"teleop source '{source.name}' maps no button {missing}, which the scripted operator presses "
            f"with afterwards='{settings.afterwards}'; it has {sorted(source.buttons)}"
        )
