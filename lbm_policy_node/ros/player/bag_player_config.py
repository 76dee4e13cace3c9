# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The parameters of the bag player."""

from dataclasses import dataclass

from ..parameters import parameter


@dataclass(frozen=True)
class BagPlayerConfig:
    """See each description; ``ros2 param describe`` shows the same."""

    episode: str = parameter("", "Folder of a recorded episode.")
    rate: float = parameter(1.0, "Recorded seconds per second.", low=0.001, high=1000.0)
    loop: bool = parameter(False, "Begin again at the end; the clock jumps back.")
    start_s: float = parameter(0.0, "Begin so far into the episode, s.", low=0.0, high=1e6)
    skip_unknown: bool = parameter(False, "Leave out messages of types that are not installed.")
    run_policy: bool = parameter(
        True, "Start the policy with the recorded instruction, and cancel it at the end."
    )
    wait_s: float = parameter(
        30.0,
        "How long to wait until every stream of the robot spec has a subscriber, s.",
        low=0.0,
        high=3600.0,
    )
