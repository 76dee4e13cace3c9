# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The settings of the scripted operator."""

from dataclasses import dataclass

from lbm_policy_node.core.settings import check_settings, setting

AFTERWARDS = ("success", "resume", "nothing")


@dataclass(frozen=True, kw_only=True)
class OperatorSettings:
    """When it takes over, how it drives, and what it does afterwards. All times are ROS time."""

    seed: int = setting(0, "Draws reaction times and noise.", low=0, high=2**31 - 1)
    on_monitor_stop: bool = setting(True, "Take over when the robot holds because the monitor asks for it.")
    takeover_after_s: float = setting(
        float("nan"), "Take over so long after the policy began to drive; NaN: never.", unit="s"
    )
    reaction_low_s: float = setting(0.3, "Shortest reaction time.", unit="s", low=0.0, high=60.0)
    reaction_high_s: float = setting(0.6, "Longest reaction time.", unit="s", low=0.0, high=60.0)
    noise_m_s: float = setting(
        0.03, "Standard deviation of its velocity per axis.", unit="m/s", low=0.0, high=1.0
    )
    hold_s: float = setting(0.25, "Releases so long after the success.", unit="s", low=0.0, high=60.0)
    give_up_s: float = setting(
        30.0, "Releases without success after so long.", unit="s", low=0.1, high=3600.0
    )
    afterwards: str = setting(
        "success",
        "What it presses after the release. success: `success`, or `failure` where it gave up; "
        "resume: `resume`, where it did not give up.",
        choices=AFTERWARDS,
    )

    def __post_init__(self) -> None:
        """Check what belongs together.

        Raises:
            ValueError: A value is refused, or the reaction times are in the wrong order.
        """
        check_settings(self)
        if not 0.0 <= self.reaction_low_s <= self.reaction_high_s:
            raise ValueError(
                f"reaction_low_s is {self.reaction_low_s:g} and reaction_high_s {self.reaction_high_s:g}; "
                "expected 0 <= reaction_low_s <= reaction_high_s"
            )

    def report(self, *, gave_up: bool) -> str:
        """Return the button to press after the release; empty for none."""
        if self.afterwards == "success":
            return "failure" if gave_up else "success"
        return "resume" if self.afterwards == "resume" and not gave_up else ""
