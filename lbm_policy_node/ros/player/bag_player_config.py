# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The settings of the bag player."""

from dataclasses import dataclass

from lbm_policy_node.core.settings import setting


@dataclass(frozen=True)
class BagPlayerConfig:
    """Which episode is played, from where, and how fast."""

    episode: str = setting("", "Folder of a recorded episode.")
    rate: float = setting(1.0, "Recorded seconds per second.", low=0.001, high=1000.0)
    loop: bool = setting(False, "Begin again at the end; the clock jumps back.")
    start_s: float = setting(0.0, "Begin so far into the episode.", unit="s", low=0.0, high=1e6)
    skip_unknown: bool = setting(False, "Leave out messages of types that are not installed.")
    run_policy: bool = setting(
        True, "Start the policy with the recorded instruction, and cancel it at the end."
    )
    wait_s: float = setting(
        30.0,
        "How long to wait until every stream of the robot spec has a subscriber.",
        unit="s",
        low=0.0,
        high=3600.0,
    )
