# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Whether a graph has a monitor, and how the policy must be asked to fit its calibration."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lbm_policy_node.monitors.calibration.calibration import FILE_NAME as CALIBRATION_FILE
from lbm_policy_node.monitors.scores.registry import score_class

AUTO, ON, OFF = "auto", "on", "off"
CHOICES = (AUTO, ON, OFF)


@dataclass(frozen=True, kw_only=True)
class MonitorChoice:
    """What was chosen.

    Attributes:
        starts: Whether the monitor runs.
        n_samples: Chunks that the policy must draw per inference for the thresholds to hold; 0: any.
        execution_horizon: Rows that the policy must execute of each chunk; 0: not fixed.
        send_embedding: Whether the policy must send its embedding of the observation.
        calibration_id: Which calibration, for the header of recorded episodes; empty for none.
        message: What the user should know; empty when all is as expected.
    """

    starts: bool
    n_samples: int = 0
    execution_horizon: int = 0
    send_embedding: bool = False
    calibration_id: str = ""
    message: str = ""


def choose_monitor(choice: str, checkpoint: Path | None, calibration: str = "") -> MonitorChoice:
    """Decide about the monitor of a checkpoint.

    Args:
        choice: "on", "off", or "auto": where there is a calibration.
        checkpoint: Folder of the policy; None for a policy server's address.
        calibration: Calibration file; empty: the one of the checkpoint, if there is one.

    Raises:
        ValueError: The choice is unknown, the calibration cannot be read, or there is no such score.
    """
    if choice not in CHOICES:
        raise ValueError(f"monitor is '{choice}'; expected one of {', '.join(CHOICES)}")
    if checkpoint is None and not calibration:
        text = (
            "a policy server's address has no calibration beside it; give one by the monitor's setting, "
            "monitor_node.calibration"
        )
        return MonitorChoice(starts=choice == ON, message=text if choice == ON else "")
    file = Path(calibration) if calibration or checkpoint is None else checkpoint / CALIBRATION_FILE
    if choice == OFF or (choice == AUTO and not file.exists()):
        return MonitorChoice(starts=False)
    if not file.exists():
        text = f"{file} does not exist: the monitor has no thresholds; `lbm calibrate` makes them"
        return MonitorChoice(starts=True, message=text)
    values = _read(file)
    return MonitorChoice(
        starts=True,
        n_samples=_whole(file, values, "n_samples", low=1),
        execution_horizon=_whole(file, values, "execution_horizon", low=0),
        send_embedding=score_class(_score_name(file, values)).needs_embedding,
        calibration_id=str(values.get("id", "")),
    )


def _read(file: Path) -> dict[str, Any]:
    """The two numbers only; the monitor checks the rest when it loads the file."""
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{file} cannot be read: {error}; make it again, or choose monitor off") from error
    if not isinstance(values, dict):
        raise ValueError(f"{file} holds {type(values).__name__}; expected a JSON object")
    return values


def _whole(file: Path, values: dict[str, Any], key: str, *, low: int) -> int:
    value = values.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or value < low:
        raise ValueError(f"{key} of {file} is {value!r}; expected a whole number of at least {low}")
    return value


def _score_name(file: Path, values: dict[str, Any]) -> str:
    score = values.get("score")
    if not isinstance(score, dict) or not isinstance(score.get("name"), str):
        raise ValueError(f"score of {file} is {score!r}; expected an object with the score's name")
    return score["name"]
