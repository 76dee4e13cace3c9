# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A calibrated monitor of the made-up policy, and runs of chunks for it."""

from helpers.monitor_episodes import calibrated, chunk, episode
from lbm_policy_node.core.types import ActionChunk
from lbm_policy_node.monitors.monitor import Monitor
from lbm_policy_node.monitors.verdict import Level, Verdict

BOTH = calibrated(60)
"""Enough successes to arm WARN and STOP."""
WARN_ONLY = calibrated(20)
UNSEEN = 1067
"""A seed whose clean episode stays far below every threshold."""


def run(monitor: Monitor, chunks: list[ActionChunk]) -> list[Verdict]:
    """Return the monitor's verdict on each chunk."""
    return [monitor.update(each) for each in chunks]


def levels(verdicts: list[Verdict]) -> list[Level]:
    """Return the level of each verdict."""
    return [verdict.level for verdict in verdicts]


def clean(count: int, **changes) -> list[ActionChunk]:
    """Return the first chunks of a run that stays normal."""
    return [chunk(number, seed=UNSEEN, **changes) for number in range(count)]


def shaken(count: int) -> list[ActionChunk]:
    """Return the first chunks of a run in which every second chunk disagrees with the one before."""
    return list(episode(UNSEEN, length=count, shift=3.0).chunks)
