# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""One teleop source: its dead-man switch, its target, and which of its messages could not be used lately."""

from lbm_policy_node.core.execution.limits import ActionLimits
from lbm_policy_node.core.reasons import Reason
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.spec.teleop_sources import TeleopSource
from lbm_policy_node.core.takeover.dead_man import DeadMan, DeadManState
from lbm_policy_node.core.takeover.teleop_target import TeleopTarget

MOTION = "motion"
DEAD_MAN = "dead-man switch"
BUTTONS = "buttons"


class TeleopLane:
    """Takes the ROS clock, returns values, never raises."""

    def __init__(self, spec: RobotSpec, limits: ActionLimits, source: TeleopSource) -> None:
        """Start without a sample."""
        self.source = source
        by_axis = source.dead_man.axis is not None
        self.dead_man = DeadMan(source.max_age_ns, spec.max_skew_ns, forgets=by_axis)
        self.target = TeleopTarget(spec, limits, source)
        self._refused: dict[str, tuple[int, Reason]] = {}

    def on_dead_man(self, pressed: bool, stamp_ns: int, now_ns: int) -> Reason | None:
        """Take a sample of the dead-man switch; returns why it does not count."""
        return self.note(DEAD_MAN, self.dead_man.on_sample(pressed, stamp_ns, now_ns), now_ns)

    def on_sample(self, sample: object, stamp_ns: int, now_ns: int) -> Reason | None:
        """Take a motion sample; returns why it is not used."""
        return self.note(MOTION, self.target.on_sample(sample, stamp_ns, now_ns), now_ns)

    def note(self, part: str, refused: Reason | None, now_ns: int) -> Reason | None:
        """Remember why the newest message of a part cannot be used, or that it can; returns it."""
        if refused is None:
            self._refused.pop(part, None)
        else:
            self._refused[part] = (now_ns, refused)
        return refused

    def complaint(self, now_ns: int, *, drives: bool) -> str:
        """Return what an operator who holds the dead-man switch must know; empty when all is well.

        A dead-man switch that cannot be read is reported always: it may be held.
        """
        held, lost = self.dead_man.held(now_ns), self.dead_man.state is DeadManState.LOST
        recent = {part: r for part, (at, r) in self._refused.items() if 0 <= now_ns - at <= self._max_age_ns}
        if not (held or drives or DEAD_MAN in recent):
            return ""
        texts = [self.dead_man.reason.text] if held and lost else []
        texts += [reason.text for reason in recent.values() if reason.text not in texts]
        texts += [text for text in [self.target.complaint(now_ns)] if text]
        name = self.source.name
        return "; ".join(text if text.startswith(f"{name}: ") else f"{name}: {text}" for text in texts)

    @property
    def _max_age_ns(self) -> int:
        return self.source.max_age_ns
