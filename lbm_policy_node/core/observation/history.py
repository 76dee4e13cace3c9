# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The last observations at the spacing the policy was trained with."""

from lbm_policy_node.core.reasons import Reason, ReasonCode
from lbm_policy_node.core.types import Observation


class ObservationHistory:
    """Serves n_obs_steps observations, step apart by stamp; before the first one, the first is repeated.

    The repetition is what LeRobot's queues do at the start of an episode.
    A gap in the middle is not bridged: push once per step, also when no inference is due.
    """

    def __init__(self, n_obs_steps: int, step_ns: int, tolerance_ns: int | None = None) -> None:
        """Start empty.

        Args:
            n_obs_steps: How many observations the policy takes.
            step_ns: Time between them.
            tolerance_ns: How far a stamp may lie from its place; half a step by default.
        """
        if n_obs_steps < 1 or step_ns <= 0:
            raise ValueError(f"need n_obs_steps >= 1 and step_ns > 0, got {n_obs_steps} and {step_ns}")
        self._n = n_obs_steps
        self._step_ns = step_ns
        self._tolerance_ns = step_ns // 2 if tolerance_ns is None else tolerance_ns
        self._observations: list[Observation] = []
        self._first_ns = 0

    def reset(self) -> None:
        """Forget everything: a new episode starts."""
        self._observations.clear()

    def push(self, observation: Observation) -> None:
        """Add the newest observation; the same stamp again is ignored, an older one starts a new episode."""
        if self._observations and observation.stamp_ns < self._observations[-1].stamp_ns:
            self.reset()
        if not self._observations:
            self._first_ns = observation.stamp_ns
        elif observation.stamp_ns == self._observations[-1].stamp_ns:
            return
        self._observations.append(observation)
        oldest_ns = observation.stamp_ns - (self._n - 1) * self._step_ns - self._tolerance_ns
        while self._observations[0].stamp_ns < oldest_ns:
            self._observations.pop(0)

    def window(self) -> tuple[Observation, ...] | Reason:
        """Return n_obs_steps observations, oldest first, or why the history is not complete."""
        if not self._observations:
            return Reason(ReasonCode.OBSERVATION_MISSING, "there is no observation yet")
        newest_ns = self._observations[-1].stamp_ns
        window = []
        for back in range(self._n - 1, -1, -1):
            wanted_ns = max(newest_ns - back * self._step_ns, self._first_ns)
            nearest = min(self._observations, key=lambda o: abs(o.stamp_ns - wanted_ns))
            if abs(nearest.stamp_ns - wanted_ns) > self._tolerance_ns:
                text = f"the history has no observation {back * self._step_ns / 1e9:.3f} s back"
                return Reason(ReasonCode.OBSERVATION_MISSING, text)
            window.append(nearest)
        return tuple(window)
