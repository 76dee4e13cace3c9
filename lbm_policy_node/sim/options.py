# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Options of a reset, as they arrive in ``ResetSimulation.options_json``."""

from __future__ import annotations

import json
from dataclasses import dataclass

from lbm_policy_node.sim.tasks import SLIDERS


@dataclass(frozen=True, kw_only=True)
class ResetOptions:
    """How the scene differs from the task's own start.

    Attributes:
        start_offset_m: The hand starts at a random offset of at most this much per axis, m, 0 to 0.3.
        ajar: Share by which the drawer or window starts open, 0 to 1; None leaves it to the task.
    """

    start_offset_m: float = 0.0
    ajar: float | None = None

    @classmethod
    def parse(cls, text: str, *, task: str) -> ResetOptions:
        """Read the JSON object; an empty text means no options.

        Raises:
            ValueError: Not a JSON object, an unknown key, a value out of range, or ``ajar`` where
                nothing slides.
        """
        try:
            values = json.loads(text) if text.strip() else {}
        except json.JSONDecodeError as error:
            raise ValueError(f"options_json is not JSON: {error}") from error
        if not isinstance(values, dict):
            raise ValueError(f"options_json must be a JSON object, is {text!r}")
        unknown = sorted(set(values) - {"start_offset_m", "ajar"})
        if unknown:
            raise ValueError(f"options_json has unknown keys {unknown}; known: ajar, start_offset_m")
        offset = _number(values.get("start_offset_m", 0.0), key="start_offset_m", high=0.3)
        ajar = None if values.get("ajar") is None else _number(values["ajar"], key="ajar", high=1.0)
        if ajar is not None and task not in SLIDERS:
            raise ValueError(f"option 'ajar' needs a task with a slider ({', '.join(SLIDERS)}), not '{task}'")
        return cls(start_offset_m=offset, ajar=ajar)


def _number(value: object, *, key: str, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 <= value <= high:
        raise ValueError(f"option '{key}' is {value!r}; expected a number from 0 to {high}")
    return float(value)
