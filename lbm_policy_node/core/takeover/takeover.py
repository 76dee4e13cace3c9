# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Which of the teleop sources drives, and what it commands; never decides that the policy drives.

```
            pressed                released for 0.5 s
 nobody  ------------->  a turn  -------------------->  nobody      both ends: the executor goes to HOLD
            ^  another source     |  stale, refused start
            |  of higher priority |
            +-- (new ramp) -------+-->  nobody; what is pressed must be released and pressed again
```
"""

from dataclasses import replace

import numpy as np

from lbm_policy_node.core.execution.braking import Motion
from lbm_policy_node.core.execution.limits import ActionLimits
from lbm_policy_node.core.reasons import OK, Reason, ReasonCode
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.takeover.dead_man import DeadManState
from lbm_policy_node.core.takeover.human_motion import HumanMotion
from lbm_policy_node.core.takeover.human_turn import HumanTurn
from lbm_policy_node.core.takeover.leash import Leash
from lbm_policy_node.core.takeover.teleop_lane import TeleopLane
from lbm_policy_node.core.types import Array


class Takeover:
    """All teleop sources of one robot; takes the ROS clock, returns values, never raises.

    Sources are called by their name in the spec. Call everything from one thread.
    """

    def __init__(self, spec: RobotSpec, limits: ActionLimits) -> None:
        """Start with no source driving."""
        self._limits, self._leash = limits, Leash(spec, limits)
        self._names = spec.action_names
        self._lanes = {source.name: TeleopLane(spec, limits, source) for source in spec.teleop}
        self._active: TeleopLane | None = None
        self._motion: HumanMotion | None = None
        self._reason = OK

    def on_dead_man(self, name: str, pressed: bool, stamp_ns: int, now_ns: int) -> Reason | None:
        """Take a sample of a source's dead-man switch; returns why it does not count."""
        return self._lanes[name].on_dead_man(pressed, stamp_ns, now_ns)

    def on_sample(self, name: str, sample: object, stamp_ns: int, now_ns: int) -> Reason | None:
        """Take a motion sample of a source; returns why it is not used."""
        return self._lanes[name].on_sample(sample, stamp_ns, now_ns)

    def on_readable(self, name: str, part: str, refused: Reason | None, now_ns: int) -> None:
        """Take whether a part of a source's message (teleop_lane.MOTION ...) could be read at all."""
        self._lanes[name].note(part, refused, now_ns)

    def on_buttons(self, name: str, pressed: frozenset[str]) -> None:
        """Take the buttons of a source; the gripper's count while it drives; both at once do nothing."""
        lane, gripper = self._lanes[name], self._lanes[name].source.gripper
        gripper_buttons = pressed & {"gripper_open", "gripper_close"}
        if gripper is None or len(gripper_buttons) != 1 or lane is not self._active:
            return
        opens = "gripper_open" in gripper_buttons
        lane.target.set_column(gripper.name, gripper.open if opens else gripper.close)

    def end(self, reason: Reason) -> None:
        """End the turn from outside, as an emergency stop does: each source must be pressed again."""
        if self._active is not None:
            self._reason = reason
        for lane in self._lanes.values():
            lane.dead_man.lose(reason)
        self._active, self._motion = None, None

    def forget(self) -> None:
        """Forget why the last turn ended: the robot goes on without it."""
        if self._active is None:
            self._reason = OK

    def tick(self, now_ns: int, motion: Motion | None, measured: Array | None = None) -> HumanTurn:
        """Decide who drives in this control tick.

        Args:
            now_ns: The ROS clock.
            motion: The last command and how it moves, or where the robot is measured, at rest; used when a
                turn begins. NaN where a gripper is unknown. None when nothing is known.
            measured: Where the robot is, shape (action_dim,), NaN where nothing measures it; None while that
                is not known, or the robot gets no commands: then the leash holds nothing back.
        """
        for lane in self._lanes.values():
            lane.dead_man.tick(now_ns)
        drove, refused = self._active is not None, False
        fault = self._fault(now_ns)
        if fault is None:
            fault = self._hand_over(self._choose(), now_ns, motion)
        if fault is not None:
            self.end(fault)
            self._reason, refused = fault, not drove
        complaints = self._complaints(now_ns)
        if self._active is None or self._motion is None:
            return HumanTurn(reason=self._reason, refused=refused, complaints=complaints)
        action = self._motion.at(now_ns, measured)
        if self._motion.held_back:
            complaints = (*complaints, f"{self._active.source.name}: {self._motion.held_back}")
        return HumanTurn(self._active.source.name, action, OK, self._ignored(), complaints=complaints)

    def _fault(self, now_ns: int) -> Reason | None:
        """Return why the source that drives cannot go on."""
        if self._active is None:
            return None
        if self._active.dead_man.state is DeadManState.LOST:
            return self._active.dead_man.reason
        if self._active.dead_man.state is DeadManState.PRESSED:
            followed = self._motion is not None and self._motion.target is self._active.target
            return (followed and self._active.target.lapsed) or self._active.target.fault(now_ns)
        return None

    def _choose(self) -> TeleopLane | None:
        """Return the first source that is pressed, else the one that was released a moment ago."""
        for lane in self._lanes.values():
            if lane.dead_man.state is DeadManState.PRESSED:
                return lane
        return self._active if self._active and self._active.dead_man.in_control else None

    def _hand_over(self, chosen: TeleopLane | None, now_ns: int, motion: Motion | None) -> Reason | None:
        if chosen is None:
            self._active, self._motion = None, None
            return None
        if chosen is not self._active or self._motion is None:
            return self._begin(chosen, now_ns, motion)
        if chosen.dead_man.state is DeadManState.RELEASING:
            self._motion.rest()
        elif self._motion.target is None:
            self._motion.follow(chosen.target, now_ns)
        return None

    def _begin(self, lane: TeleopLane, now_ns: int, motion: Motion | None) -> Reason | None:
        """Begin a turn; between two sources the robot moves on from the present motion."""
        if fault := lane.target.fault(now_ns):
            return fault
        if self._motion is None:
            known = self._known(lane, motion)
            if isinstance(known, Reason):
                return known
            self._motion = HumanMotion(self._limits, self._leash, now_ns, known)
        self._motion.follow(lane.target, now_ns)
        self._active, self._reason = lane, OK
        return lane.target.check_start(now_ns)

    def _known(self, lane: TeleopLane, motion: Motion | None) -> Motion | Reason:
        """Return the motion without gaps: of a gripper nothing may be known before the first command.

        It opens where the source has a button for that, and starts at the device's own where it has one.
        """
        if motion is None:
            return Reason(ReasonCode.FEEDBACK_MISSING, "where the robot is, is not known")
        action, gripper = motion.action.copy(), lane.source.gripper
        for column in np.flatnonzero(np.isnan(action)):
            name = self._names[column]
            if gripper is not None and gripper.name == name:
                action[column] = gripper.open
            else:
                own = lane.target.device_position(name)
                action[column] = np.clip(own, self._limits.low[column], self._limits.high[column])
        unknown = [name for name, value in zip(self._names, action, strict=True) if not np.isfinite(value)]
        if unknown:
            return Reason(ReasonCode.FEEDBACK_MISSING, f"where {unknown} are, is not known")
        return replace(motion, action=action)

    def _ignored(self) -> tuple[str, ...]:
        return tuple(
            name
            for name, lane in self._lanes.items()
            if lane is not self._active and lane.dead_man.state is DeadManState.PRESSED
        )

    def _complaints(self, now_ns: int) -> tuple[str, ...]:
        texts = (lane.complaint(now_ns, drives=lane is self._active) for lane in self._lanes.values())
        return tuple(text for text in texts if text)
