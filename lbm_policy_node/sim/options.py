# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Options of a reset, as they arrive in ``ResetSimulation.options_json``."""

from __future__ import annotations

import json
from dataclasses import dataclass

from lbm_policy_node.sim.perturbations.catalogue import PERTURBATIONS
from lbm_policy_node.sim.tasks import SLIDERS, task_named

_RUNNERS_ONLY = {
    "latency": "chunks arrive late on the robot's side: run it with `lbm monitor-eval`",
    "wrong_instruction": "give the other instruction in the goal",
}
_KEYS = ("ajar", "perturbation", "perturbation_after_s", "start_offset_m")


@dataclass(frozen=True, kw_only=True)
class ResetOptions:
    """How the scene differs from the task's own start.

    Attributes:
        start_offset_m: The hand starts at a random offset of at most this much per axis, m, 0 to 0.3.
        ajar: Share by which the drawer or window starts open, 0 to 1; None leaves it to the task.
        perturbation: Name of a disturbance; its magnitudes are drawn by the seed of the reset. Empty: none.
        perturbation_after_s: Simulated time after the reset at which it begins, s, 0 to 600.
    """

    start_offset_m: float = 0.0
    ajar: float | None = None
    perturbation: str = ""
    perturbation_after_s: float = 0.0

    @classmethod
    def parse(cls, text: str, *, task: str) -> ResetOptions:
        """Read the JSON object; an empty text means no options.

        Raises:
            ValueError: Not a JSON object, an unknown key, a value out of range, ``ajar`` where nothing
                slides, or a disturbance that is unknown, is not the robot's, or that the task has no use for.
        """
        try:
            values = json.loads(text) if text.strip() else {}
        except json.JSONDecodeError as error:
            raise ValueError(f"options_json is not JSON: {error}") from error
        if not isinstance(values, dict):
            raise ValueError(f"options_json must be a JSON object, is {text!r}")
        unknown = sorted(set(values) - set(_KEYS))
        if unknown:
            raise ValueError(f"options_json has unknown keys {unknown}; known: {', '.join(_KEYS)}")
        offset = _number(values.get("start_offset_m", 0.0), key="start_offset_m", high=0.3)
        ajar = None if values.get("ajar") is None else _number(values["ajar"], key="ajar", high=1.0)
        if ajar is not None and task not in SLIDERS:
            raise ValueError(f"option 'ajar' needs a task with a slider ({', '.join(SLIDERS)}), not '{task}'")
        name = _perturbation(values.get("perturbation", ""), task=task)
        after = _number(values.get("perturbation_after_s", 0.0), key="perturbation_after_s", high=600.0)
        if after > 0.0 and name == "start_outside":
            raise ValueError(
                "perturbation 'start_outside' is about the start; leave out perturbation_after_s"
            )
        return cls(start_offset_m=offset, ajar=ajar, perturbation=name, perturbation_after_s=after)


def _number(value: object, *, key: str, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 <= value <= high:
        raise ValueError(f"option '{key}' is {value!r}; expected a number from 0 to {high}")
    return float(value)


def _perturbation(value: object, *, task: str) -> str:
    if value == "":
        return ""
    if not isinstance(value, str) or value not in PERTURBATIONS:
        raise ValueError(
            f"option 'perturbation' is {value!r}; expected one of: {', '.join(_injectable(task))}"
        )
    if value in _RUNNERS_ONLY:
        raise ValueError(f"perturbation '{value}' is not the simulated robot's: {_RUNNERS_ONLY[value]}")
    if not PERTURBATIONS[value].applies_to(task_named(task)):
        raise ValueError(
            f"perturbation '{value}' does not apply to task '{task}'; those that do: "
            f"{', '.join(_injectable(task))}"
        )
    return value


def _injectable(task: str) -> list[str]:
    return [
        name
        for name, entry in PERTURBATIONS.items()
        if name not in _RUNNERS_ONLY and entry.applies_to(task_named(task))
    ]
