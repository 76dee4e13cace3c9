# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""When an episode begins and when it ends.

::

    policy     IDLE | RUNNING ... BLOCKED ... RUNNING | IDLE
    control         |                    HUMAN ...........| HOLD
    episode         |<------------------------------------>|      follow_runs: a run and an intervention
"""

from enum import Enum

from lbm_policy_node.core.execution.arbitration import ControlMode, PolicyState

RUN_STATES = (PolicyState.RUNNING, PolicyState.BLOCKED)


class Decision(Enum):
    """What the recorder is to do now."""

    NOTHING = 0
    BEGIN = 1
    END = 2
    BEGIN_NEXT = 3
    """End the present episode and begin the next one."""


class EpisodeRule:
    """Follows the policy's runs, or only the operator's requests.

    An episode that the operator has requested ends with a request to stop or with a report of its outcome. An
    episode of a run ends with the run, but not while the operator drives; the outcome ends the run itself.

    Attributes:
        recording: Whether an episode is being recorded; set by ``began`` and ``ended``.
    """

    def __init__(self, *, follow_runs: bool) -> None:
        """Begin without an episode; with ``follow_runs`` each run of the policy is one."""
        self._follow_runs = follow_runs
        self._running = False
        self._asked_for = False
        self.recording = False

    @property
    def needs_mode(self) -> bool:
        """Whether the episode ends as soon as the operator does not drive; else the mode does not matter."""
        return self.recording and not self._asked_for and not self._running

    def began(self, *, asked_for: bool) -> None:
        """An episode begins; ``asked_for``: by the operator, not by a run."""
        self.recording, self._asked_for = True, asked_for

    def ended(self) -> None:
        """The episode is over, whatever ended it."""
        self.recording = False

    def on_policy_state(self, state: int) -> Decision:
        """Take the newest PolicyStatus; after the end of a run ask ``on_mode`` too."""
        before, self._running = self._running, state in RUN_STATES
        if not self._follow_runs or before or not self._running:
            return Decision.NOTHING
        if not self.recording:
            return Decision.BEGIN
        return Decision.NOTHING if self._asked_for else Decision.BEGIN_NEXT

    def on_mode(self, mode: int) -> Decision:
        """Take the newest ControlState."""
        return Decision.END if self.needs_mode and mode != ControlMode.HUMAN else Decision.NOTHING

    def on_start_request(self) -> Decision:
        """Take the operator's request to begin an episode."""
        return Decision.NOTHING if self.recording else Decision.BEGIN

    def on_stop_request(self) -> Decision:
        """Take the operator's request to end the episode."""
        return Decision.END if self.recording else Decision.NOTHING

    def on_outcome(self) -> Decision:
        """Take a report of success, failure or discard."""
        return Decision.END if self.recording and self._asked_for else Decision.NOTHING

    def on_clock_jump(self) -> Decision:
        """The clock went back: one bag cannot hold both times."""
        if not self.recording:
            return Decision.NOTHING
        return Decision.BEGIN_NEXT if self._running and not self._asked_for else Decision.END
