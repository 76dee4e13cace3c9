# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The settings of the scripted operator."""

from dataclasses import dataclass, field
from typing import Any

AFTERWARDS = ("success", "resume", "nothing")


def _setting(default: Any, text: str, **metadata: Any) -> Any:
    return field(default=default, metadata={"description": text, **metadata})


@dataclass(frozen=True, kw_only=True)
class OperatorSettings:
    """When it takes over, how it drives, and what it does afterwards. All times are ROS time."""

    seed: int = _setting(0, "Draws reaction times and noise.", low=0, high=2**31 - 1)
    on_monitor_stop: bool = _setting(True, "Take over when the robot holds because the monitor asks for it.")
    takeover_after_s: float = _setting(
        float("nan"), "Take over so long after the policy began to drive, s; NaN: never."
    )
    reaction_low_s: float = _setting(0.3, "Shortest reaction time, s.", low=0.0, high=60.0)
    reaction_high_s: float = _setting(0.6, "Longest reaction time, s.", low=0.0, high=60.0)
    noise_m_s: float = _setting(0.03, "Standard deviation of its velocity per axis, m/s.", low=0.0, high=1.0)
    hold_s: float = _setting(0.25, "Lets go after so long a success, s.", low=0.0, high=60.0)
    give_up_s: float = _setting(30.0, "Lets go without success after so long, s.", low=0.1, high=3600.0)
    afterwards: str = _setting(
        "success",
        "What it presses after it let go. success: `success`, or `failure` where it gave up; "
        "resume: `resume`, where it did not give up.",
        choices=AFTERWARDS,
    )

    def __post_init__(self) -> None:
        """Check what belongs together.

        Raises:
            ValueError: The reaction times are in the wrong order, or `afterwards` is unknown.
        """
        if not 0.0 <= self.reaction_low_s <= self.reaction_high_s:
            raise ValueError(
                f"reaction_low_s is {self.reaction_low_s:g} and reaction_high_s {self.reaction_high_s:g}; "
                "expected 0 <= reaction_low_s <= reaction_high_s"
            )
        if self.afterwards not in AFTERWARDS:
            raise ValueError(f"afterwards is '{self.afterwards}'; expected one of {', '.join(AFTERWARDS)}")

    def report(self, *, gave_up: bool) -> str:
        """Return the button to press after letting go; empty for none."""
        if self.afterwards == "success":
            return "failure" if gave_up else "success"
        return "resume" if self.afterwards == "resume" and not gave_up else ""
