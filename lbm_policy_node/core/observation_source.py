# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The policy's view of the robot: the gate of core, asked only when a better answer is not about to arrive.

::

    front  |----F----F----F              F at c has arrived, W at c has not: the gate could pair F with the
    wrist  |----W----W----.              wrist image before, but W's period says that its next image is due
                          c ... grace    by c, so wait for it, at most max_skew
"""

from dataclasses import dataclass

from lbm_policy_node.core.gate import ObservationGate
from lbm_policy_node.core.reasons import Reason, ReasonCode
from lbm_policy_node.core.robot_spec import RobotSpec
from lbm_policy_node.core.samples import Sample
from lbm_policy_node.core.types import Observation

PERIOD_TOLERANCE = 0.1
"""A stream may be this share of its period late and its next sample is still expected."""


@dataclass(frozen=True)
class _Arrivals:
    newest_ns: int
    period_ns: int | None = None

    def then(self, stamp_ns: int) -> "_Arrivals":
        if stamp_ns <= self.newest_ns:
            return _Arrivals(stamp_ns)
        return _Arrivals(stamp_ns, stamp_ns - self.newest_ns)

    def expected_by(self, stamp_ns: int) -> bool:
        if self.newest_ns >= stamp_ns or self.period_ns is None:
            return False
        return self.newest_ns + (1.0 - PERIOD_TOLERANCE) * self.period_ns <= stamp_ns


class ObservationSource:
    """Collects samples and yields observations. All calls belong to the node's executor thread."""

    def __init__(self, spec: RobotSpec) -> None:
        """Start empty."""
        self._spec = spec
        self._gate = ObservationGate(spec)
        self._arrivals: dict[str, _Arrivals] = {}

    def expect(self, stream: str, first_ns: int, period_ns: int) -> None:
        """Know a stream's rhythm before its first sample; offline, where the node had heard it before.

        Args:
            stream: A name out of spec.observation_streams.
            first_ns: Header stamp of the sample that will come first.
            period_ns: Time between samples.
        """
        self._arrivals[stream] = _Arrivals(first_ns - period_ns, period_ns)

    def push(self, stream: str, stamp_ns: int, value: Sample, now_ns: int) -> None:
        """Add a sample; see ``ObservationGate.push``."""
        self._gate.push(stream, stamp_ns, value, now_ns)
        before = self._arrivals.get(stream)
        self._arrivals[stream] = before.then(stamp_ns) if before else _Arrivals(stamp_ns)

    def observe(self, now_ns: int, instruction: str) -> Observation | Reason | None:
        """Return the newest observation, why there is none, or None while a better one is on its way."""
        observation = self._gate.observe(now_ns, instruction)
        if isinstance(observation, Reason):
            return self._with_spec_key(observation)
        waiting = now_ns - observation.stamp_ns < self._spec.max_skew_ns
        if waiting and any(a.expected_by(observation.stamp_ns) for a in self._arrivals.values()):
            return None
        return observation

    def restart(self) -> None:
        """Forget the streams' periods after the clock has jumped; the gate notices by itself."""
        self._arrivals.clear()

    def _with_spec_key(self, reason: Reason) -> Reason:
        """Name the file and key of the spec that asks for a joint the robot does not publish."""
        if reason.code != ReasonCode.OBSERVATION_WRONG_JOINTS:
            return reason
        keys = [
            f"state[{index}].joints"
            for index, selection in enumerate(self._spec.state)
            if selection.joints and f"'{selection.stream}'" in reason.text
        ]
        return Reason(reason.code, f"{reason.text}; asked for by {', '.join(keys)} of {self._spec.file}")
