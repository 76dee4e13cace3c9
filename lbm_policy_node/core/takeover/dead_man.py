# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The dead-man switch that an operator holds while driving: pressed, released with hysteresis, or lost.

| state     | a press | a release | 0.5 s since release | newest sample stale | what it means              |
|-----------|---------|-----------|---------------------|---------------------|----------------------------|
| LOST      | LOST    | RELEASED  | -                   | LOST                | nobody; a press is refused |
| RELEASED  | PRESSED | RELEASED  | -                   | RELEASED            | nobody                     |
| PRESSED   | PRESSED | RELEASING | -                   | LOST                | the operator drives        |
| RELEASING | PRESSED | RELEASING | RELEASED            | LOST                | the operator keeps control |

It starts LOST, so a button that is stuck or held down at start never takes over, and after a stale pause
it takes a fresh release and a fresh press to drive again. A sample counts when it is neither older than the
maximum age nor from the future by more than the skew, and not older than one before it.

An axis as the switch ``forgets``: after a silence longer than the maximum age RELEASED becomes LOST, because
a driver that starts again may report any value for an axis that nobody touched.
"""

from enum import IntEnum

from lbm_policy_node.core.reasons import OK, Reason, ReasonCode

RELEASE_NS = 500_000_000
"""How long the operator keeps control after the release."""

NOT_SEEN_RELEASED = Reason(
    ReasonCode.OBSERVATION_MISSING, "the dead-man switch has not been seen released yet; release it first"
)


class DeadManState(IntEnum):
    """See the table of the module."""

    LOST = 0
    RELEASED = 1
    PRESSED = 2
    RELEASING = 3


class DeadMan:
    """One operator's signal; takes the ROS clock, returns values, never raises.

    Attributes:
        state: As of the last call.
        reason: Why the signal was lost; OK otherwise.
    """

    def __init__(
        self, max_age_ns: int, max_skew_ns: int, release_ns: int = RELEASE_NS, *, forgets: bool = False
    ) -> None:
        """Start LOST.

        Args:
            max_age_ns: Largest age of a sample while driving.
            max_skew_ns: How far a stamp may lie in the future.
            release_ns: Hysteresis of the release.
            forgets: Whether it must be seen released again after a silence.
        """
        self.state = DeadManState.LOST
        self.reason = NOT_SEEN_RELEASED
        self._forgets = forgets
        self._max_age_ns = max_age_ns
        self._max_skew_ns = max_skew_ns
        self._release_ns = release_ns
        self._stamp_ns: int | None = None
        self._released_ns = 0
        self._held: tuple[int, bool] | None = None

    @property
    def in_control(self) -> bool:
        """Whether the operator has the robot: pressed, or released less than the hysteresis ago."""
        return self.state in (DeadManState.PRESSED, DeadManState.RELEASING)

    def held(self, now_ns: int) -> bool:
        """Whether a press has arrived lately, counted or not: used only to report why it is not followed."""
        if self._held is None:
            return False
        arrived_ns, pressed = self._held
        return pressed and 0 <= now_ns - arrived_ns <= self._max_age_ns

    def on_sample(self, pressed: bool, stamp_ns: int, now_ns: int) -> Reason | None:
        """Take one sample of the signal; one that does not count changes nothing (see the module).

        Returns:
            Why it does not count: too old or from the future. Samples out of order are dropped silently.
        """
        self.tick(now_ns)
        self._held = (now_ns, pressed)
        if fault := self._implausible(stamp_ns, now_ns):
            return fault
        if self._stamp_ns is not None and stamp_ns < self._stamp_ns:
            return None
        silent = self._stamp_ns is None or self._implausible(self._stamp_ns, now_ns) is not None
        self._stamp_ns = stamp_ns
        if silent and self._forgets and self.state is DeadManState.RELEASED:
            self.state, self.reason = DeadManState.LOST, NOT_SEEN_RELEASED
        if self.state is DeadManState.LOST:
            self._set(DeadManState.LOST if pressed else DeadManState.RELEASED)
        elif pressed:
            self._set(DeadManState.PRESSED)
        elif self.state is DeadManState.PRESSED:
            # The press ended when the sample was made, but never in the future.
            self._released_ns = min(stamp_ns, now_ns)
            self._set(DeadManState.RELEASING)
        return None

    def tick(self, now_ns: int) -> DeadManState:
        """Let time pass: the hysteresis ends, or the newest sample turns stale."""
        stamp_ns = self._stamp_ns
        if stamp_ns is None:
            return self.state
        fault = self._implausible(stamp_ns, now_ns)
        if self.in_control and fault:
            self.lose(fault)
        elif self.state is DeadManState.RELEASING and now_ns - self._released_ns >= self._release_ns:
            self._set(DeadManState.RELEASED)
        if stamp_ns - now_ns > self._max_skew_ns:
            self._stamp_ns = None  # the clock went back: samples of the new time must not seem old
        return self.state

    def lose(self, reason: Reason) -> None:
        """Pause: what is pressed or just released must be released and pressed again."""
        if self.state is not DeadManState.RELEASED:
            self.state, self.reason = DeadManState.LOST, reason

    def _implausible(self, stamp_ns: int, now_ns: int) -> Reason | None:
        age_ns = now_ns - stamp_ns
        if -self._max_skew_ns <= age_ns <= self._max_age_ns:
            return None
        text = f"{age_ns / 1e9:.3f} s old, limit {self._max_age_ns / 1e9:g} s"
        if age_ns < 0:
            text = f"{-age_ns / 1e9:.3f} s in the future, limit {self._max_skew_ns / 1e9:g} s"
        text = f"the dead-man switch's newest sample is {text}"
        return Reason(ReasonCode.OBSERVATION_STALE, text)

    def _set(self, state: DeadManState) -> None:
        self.state = state
        if state is not DeadManState.LOST:
            self.reason = OK
