# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The last observations at the spacing the policy was trained with."""

from lbm_policy_node.core.observation.sighting import Sighting
from lbm_policy_node.core.reasons import Reason, ReasonCode
from lbm_policy_node.core.types import Observation


class ObservationHistory:
    """Serves n_obs_steps observations, step apart by stamp; before the first one, the first is repeated.

    The repetition is what LeRobot's queues do at the start of an episode.
    A gap in the middle is not bridged: push once per step, also when no inference is due.
    Sightings are kept as they are; their images are decoded when ``observations`` is called.
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
        self._sightings: list[Sighting] = []
        self._first_ns = 0

    @property
    def reach_ns(self) -> int:
        """How far before the newest observation the oldest one of a window may lie."""
        return (self._n - 1) * self._step_ns + self._tolerance_ns

    def reset(self) -> None:
        """Forget everything: a new episode starts."""
        self._sightings.clear()

    def push(self, sighting: Sighting) -> None:
        """Add the newest sighting; the same stamp again is ignored, an older one starts a new episode."""
        if self._sightings and sighting.stamp_ns < self._sightings[-1].stamp_ns:
            self.reset()
        if not self._sightings:
            self._first_ns = sighting.stamp_ns
        elif sighting.stamp_ns == self._sightings[-1].stamp_ns:
            return
        self._sightings.append(sighting)
        while self._sightings[0].stamp_ns < sighting.stamp_ns - self.reach_ns:
            self._sightings.pop(0)

    def window(self) -> tuple[Sighting, ...] | Reason:
        """Return n_obs_steps sightings, oldest first, or why the history is not complete."""
        if not self._sightings:
            return Reason(ReasonCode.OBSERVATION_MISSING, "there is no observation yet")
        newest_ns = self._sightings[-1].stamp_ns
        window = []
        for back in range(self._n - 1, -1, -1):
            place_ns = max(newest_ns - back * self._step_ns, self._first_ns)
            nearest = min(self._sightings, key=lambda s: abs(s.stamp_ns - place_ns))
            if abs(nearest.stamp_ns - place_ns) > self._tolerance_ns:
                text = f"the history has no observation {back * self._step_ns / 1e9:.3f} s back"
                return Reason(ReasonCode.OBSERVATION_MISSING, text)
            window.append(nearest)
        return tuple(window)

    def observations(self, instruction: str) -> tuple[Observation, ...] | Reason:
        """Return n_obs_steps observations, oldest first, or why there are none.

        A sighting that cannot be built is dropped, as if it had never been seen.

        Args:
            instruction: Goes into each observation as it is.
        """
        window = self.window()
        if isinstance(window, Reason):
            return window
        observations = []
        for sighting in window:
            built = sighting.build(instruction)
            if isinstance(built, Reason):
                self._drop(sighting)
                return built
            observations.append(built)
        return tuple(observations)

    def _drop(self, sighting: Sighting) -> None:
        self._sightings.remove(sighting)
        if self._sightings and sighting.stamp_ns == self._first_ns:
            self._first_ns = self._sightings[0].stamp_ns
