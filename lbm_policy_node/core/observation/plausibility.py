# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A joint that moves faster than its limit allows is no measurement: two publishers, or a broken driver.

Each message is compared with the one before it, joint by joint. What is allowed between them:

    MARGIN * velocity limit * time + a quarter of start_jump

The time is that between their stamps. A value that was repeated for a while may make up for it in one step,
up to start_jump: sensors that are slower than their driver do so.

Not detectable: two publishers whose values differ by less than that; a false value in the first message after
a silence longer than the stream's maximum age, until the next message comes.
"""

from dataclasses import dataclass

import numpy as np

from lbm_policy_node.core.observation.samples import JointSample, PoseSample, Sample
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.spec.spec_streams import StreamSpec
from lbm_policy_node.core.types import Array

MARGIN = 1.5
"""Stamps jitter, and controllers overshoot."""

SLACK = 0.25
"""Share of start_jump that is always allowed: noise, resolution, bursts of messages."""

DEFAULT_SLACK_S = 0.05
"""Where start_jump is infinite: what the joint may move in this time."""


@dataclass(frozen=True)
class Jump:
    """A step between two messages that no joint can make.

    Attributes:
        name: The joint, or the axis of a pose.
        before: Its value in the message before.
        after: Its value now, same unit.
        time_s: Time between the two stamps.
        limit: Its velocity limit, per second.
    """

    name: str
    before: float
    after: float
    time_s: float
    limit: float

    def __str__(self) -> str:
        step = f"{self.name} went from {self.before:.4g} to {self.after:.4g} in {self.time_s:.3f} s"
        return f"{step}, limit {self.limit:g}/s"


class Plausibility:
    """The newest position of each joint of one stream that has a velocity limit. Not thread-safe."""

    def __init__(self, spec: RobotSpec, stream: StreamSpec) -> None:
        """Start with nothing known."""
        self._max_age_s, self._frame = stream.max_age_s, stream.frame
        limits = _limits(spec, stream.name)
        self._names = tuple(limits)
        self._velocity = np.array([velocity for velocity, _ in limits.values()])
        self._most = np.array([jump for _, jump in limits.values()])
        self._slack = np.where(np.isfinite(self._most), SLACK * self._most, DEFAULT_SLACK_S * self._velocity)
        self._order: tuple[tuple[str, ...], list[int], list[int]] = ((), [], [])
        self.restart()

    def restart(self) -> None:
        """Forget every position: the clock jumped."""
        self._at = np.full(len(self._names), np.nan)
        self._stamps_s = np.zeros(len(self._names))
        self._changed_s = np.zeros(len(self._names))

    def judge(self, stamp_ns: int, sample: Sample) -> Jump | None:
        """Compare a message with the one before it, and keep it for the next; returns the first jump."""
        values = self._values(sample)
        if values is None:
            return None
        stamp_s = stamp_ns / 1e9
        steps, times_s = np.abs(values - self._at), np.abs(stamp_s - self._stamps_s)
        allowed = self._slack + MARGIN * self._velocity * times_s
        repeated = self._slack + MARGIN * self._velocity * np.abs(stamp_s - self._changed_s)
        allowed = np.maximum(allowed, np.minimum(repeated, self._most))
        bad = (steps > allowed) & (times_s <= self._max_age_s)  # a joint that is not known: NaN, so not bad
        jump = self._jump(int(np.argmax(bad)), values, times_s) if bad.any() else None
        known = np.isfinite(values)
        self._changed_s[known & ~(steps == 0.0)] = stamp_s
        self._at[known], self._stamps_s[known] = values[known], stamp_s
        return jump

    def _jump(self, index: int, values: Array, times_s: Array) -> Jump:
        before, after = float(self._at[index]), float(values[index])
        return Jump(self._names[index], before, after, float(times_s[index]), float(self._velocity[index]))

    def _values(self, sample: Sample) -> Array | None:
        """Return the positions by name, NaN for those that the message lacks; None where it has none."""
        if not self._names:
            return None
        if isinstance(sample, PoseSample) and sample.frame == self._frame:
            names, position = ("x", "y", "z"), sample.position
        elif isinstance(sample, JointSample):
            names, position = sample.names, sample.position
        else:
            return None
        if np.shape(position) != (len(names),):
            return None
        if self._order[0] != names:
            slots = [i for i, name in enumerate(self._names) if names.count(name) == 1]
            self._order = (names, slots, [names.index(self._names[i]) for i in slots])
        values = np.full(len(self._names), np.nan)
        values[self._order[1]] = position[self._order[2]]
        return values if np.isfinite(values[self._order[1]]).all() else None


def _limits(spec: RobotSpec, stream: str) -> dict[str, tuple[float, float]]:
    """Return velocity limit and start_jump by joint name (or x, y, z), of what the stream measures."""
    limits = {}
    for block in spec.action.blocks:
        feedback = block.feedback
        if not feedback or feedback.stream != stream or feedback.quantity != "position":
            continue
        for measured, name in zip(feedback.joints or feedback.fields, block.names, strict=False):
            velocity = spec.limits.velocity.get(name, np.inf)
            if np.isfinite(velocity):
                limits[measured] = (velocity, spec.limits.start_jump[name])
    return limits
