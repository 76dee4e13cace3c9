# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Judge from the feedback whether the robot obeys a stop: does it stand still, and by when?"""

from collections import deque

import numpy as np

from lbm_policy_node.core.execution.limits import ActionLimits
from lbm_policy_node.core.reasons import Reason, ReasonCode
from lbm_policy_node.core.rotations import geodesic_angle
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.types import Array

STILL_SHARE = 0.02
"""A column stands still below this share of its velocity limit."""
OBSERVED_S = 0.1
"""Speed is judged over this time plus the feedback's maximum age: an old sample proves no standstill."""
MAX_OBSERVED_S = 0.4
OBEY_WITHIN_S = 1.0
OBEY_FACTOR = 3.0
"""A stop must be obeyed within OBEY_WITHIN_S, or OBEY_FACTOR times its planned duration if that is longer."""


class StandstillWatch:
    """Watches the measured action from the beginning of a stop on.

    A rotation stands still below STILL_SHARE of its own limit; a held gripper is not watched.

    Attributes:
        moving: Whether a column moves or may still move; False where nothing measures.
    """

    def __init__(self, spec: RobotSpec, limits: ActionLimits) -> None:
        ages_s = [spec.streams[b.feedback.stream].max_age_ns * 1e-9 for b in spec.action.blocks if b.feedback]
        self._observed_ns = round(min(OBSERVED_S + max(ages_s, default=0.0), MAX_OBSERVED_S) * 1e9)
        self._limits = limits
        self._samples: deque[tuple[int, Array]] = deque()
        self._bound_ns = 0
        self._begun_ns = 0
        self._fastest: tuple[str, float] | None = None
        self.moving = False

    def begin(self, now_ns: int, planned_s: float) -> None:
        """Begin to watch a stop that is planned to take this long."""
        self._samples.clear()
        self._begun_ns, self._fastest, self.moving = now_ns, None, False
        self._bound_ns = now_ns + round(max(OBEY_WITHIN_S, OBEY_FACTOR * planned_s) * 1e9)

    def update(self, now_ns: int, measured: Array | None) -> None:
        """Take what was measured in this tick; None if it is unknown, which proves nothing."""
        self._fastest = None
        if measured is None:
            self._samples.clear()
            self.moving = False
            return
        self._samples.append((now_ns, measured))
        while len(self._samples) > 1 and now_ns - self._samples[1][0] >= self._observed_ns:
            self._samples.popleft()
        seen_ns = now_ns - self._samples[0][0]
        if seen_ns >= self._observed_ns:
            self._fastest = self._fastest_column(seen_ns * 1e-9)
            self.moving = self._fastest is not None
        else:
            self.moving = bool(np.isfinite(measured[self._limits.moving]).any())

    def not_obeyed(self, now_ns: int) -> Reason | None:
        """Return STOP_NOT_OBEYED, with what moves how fast, while the robot moves after the bound."""
        if self._fastest is None or now_ns < self._bound_ns:
            return None
        name, speed = self._fastest
        text = f"{name} still moves at {speed:.3g}/s, {(now_ns - self._begun_ns) / 1e9:.1f} s after the stop"
        return Reason(ReasonCode.STOP_NOT_OBEYED, text)

    def _fastest_column(self, seen_s: float) -> tuple[str, float] | None:
        """Return the column that exceeds its standstill speed the most; None if none does."""
        rows = np.array([row for _time_ns, row in self._samples])
        limits = self._limits
        speeds = np.ptp(rows[:, limits.moving], axis=0) / seen_s
        ratios = np.nan_to_num(speeds / (STILL_SHARE * limits.velocity))
        found = [
            (float(r), limits.names[c], float(s))
            for r, c, s in zip(ratios, limits.moving, speeds, strict=True)
        ]
        for columns, read, _write in limits.layout.rotations:
            if np.isfinite(rows[:, columns]).all():
                turned = max(
                    float(geodesic_angle(read(row[columns]), read(rows[-1][columns]))) for row in rows
                )
                speed = turned / seen_s
                ratio = speed / (STILL_SHARE * limits.rotation.velocity)
                found.append((ratio, f"rotation {limits.names[columns.start]}", speed))
        ratio, name, speed = max(found, default=(0.0, "", 0.0))
        return (name, speed) if ratio > 1.0 else None
