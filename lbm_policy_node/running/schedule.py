# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""When the next inference is due, in times of observation stamps (no ROS here).

::

    chunk_end   |obs k, chunk of `replan_steps` executed rows|obs k+1, ...
    continuous  |obs, inference|obs, inference|             as fast as the policy answers
    fixed_rate  |obs    period |obs    period |             whatever the chunk length
"""

from dataclasses import dataclass
from enum import Enum

from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.policies.policy import PolicySpec

JITTER_STEPS = 0.1
"""A camera stamp this much of a step early still counts as on time; else a stamp a microsecond short of the
due time would wait for the next image, and a whole image interval would be lost now and then."""


class Mode(str, Enum):
    """How the next inference is timed."""

    CHUNK_END = "chunk_end"
    CONTINUOUS = "continuous"
    FIXED_RATE = "fixed_rate"


@dataclass(frozen=True)
class Schedule:
    """Decides whether an observation is due.

    Attributes:
        mode: See the module.
        step_ns: Time between action rows.
        replan_steps: Rows that a chunk executes before the next one takes over (``chunk_end``).
        period_ns: Time between inferences (``fixed_rate``).
    """

    mode: Mode
    step_ns: int
    replan_steps: int
    period_ns: int

    @property
    def interval_ns(self) -> int:
        """Observation stamp to the next observation stamp; 1 when any newer observation is due."""
        if self.mode is Mode.CHUNK_END:
            return self.replan_steps * self.step_ns
        return self.period_ns if self.mode is Mode.FIXED_RATE else 1

    @property
    def execution_horizon(self) -> int:
        """Rows executed before the next chunk takes over; 0 where that depends on how fast the policy is."""
        if self.mode is Mode.CHUNK_END:
            return self.replan_steps
        return round(self.period_ns / self.step_ns) if self.mode is Mode.FIXED_RATE else 0

    def due(self, stamp_ns: int, previous_stamp_ns: int | None) -> bool:
        """Whether an observation of this stamp should be inferred, given the one before (None: the first)."""
        if previous_stamp_ns is None:
            return True
        return stamp_ns >= self._next_ns(previous_stamp_ns)

    def may_use(self, stamp_ns: int, previous_stamp_ns: int | None, reach_ns: int) -> bool:
        """Whether the next inference may look at an observation of this stamp.

        ::

            previous inference |           reach_ns  | next one due
                               |  no   no   no  YES  | YES ...

        Args:
            stamp_ns: Of the observation.
            previous_stamp_ns: Of the observation inferred before; None: the first one is still to come.
            reach_ns: How far before its newest observation an inference looks back.
        """
        if previous_stamp_ns is None:
            return True
        return stamp_ns + reach_ns >= self._next_ns(previous_stamp_ns)

    def _next_ns(self, previous_stamp_ns: int) -> int:
        """The first stamp that is due after another one."""
        early_ns = 0 if self.mode is Mode.CONTINUOUS else round(JITTER_STEPS * self.step_ns)
        return previous_stamp_ns + max(self.interval_ns - early_ns, 1)


def make_schedule(
    mode: Mode, replan_steps: int, rate_hz: float, policy: PolicySpec, robot: RobotSpec
) -> tuple[Schedule, str]:
    """Return the schedule, and a warning where it differs from what the checkpoint was trained for.

    Args:
        mode: How the next inference is timed.
        replan_steps: Rows that a chunk executes; 0 for the checkpoint's n_action_steps.
        rate_hz: Inferences per second of ROS time with ``fixed_rate``.
        policy: What the checkpoint says.
        robot: Says how long a step is.

    Raises:
        ValueError: A chunk has fewer rows than are to be executed of it.
    """
    steps = replan_steps or policy.n_action_steps
    if steps > policy.horizon:
        raise ValueError(f"replan_steps is {steps}, but a chunk has {policy.horizon} rows")
    warning = ""
    if steps != policy.n_action_steps and mode is Mode.CHUNK_END:
        warning = f"replan_steps is {steps}; the checkpoint was trained to execute {policy.n_action_steps}"
    return Schedule(mode, robot.step_ns, steps, round(1e9 / rate_hz)), warning
