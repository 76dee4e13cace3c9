# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The checks of `lbm doctor` for people and for programs."""

import json
from collections.abc import Sequence

import click

from lbm_policy_node.doctor.stream_health import Check, Level

COLORS = {Level.OK: "green", Level.WARNING: "yellow", Level.FAILURE: "red"}


def as_text(checks: Sequence[Check]) -> str:
    """Return a line per check, and what to do below it."""
    width = max(len(check.name) for check in checks)
    lines = []
    for check in checks:
        mark = click.style(f"{check.level.value:7}", fg=COLORS[check.level])
        lines.append(f"{mark}  {check.name:{width}}  {check.text}")
        if check.advice:
            lines.append(f"{'':7}  {'':{width}}  -> {check.advice}")
    return "\n".join(lines)


def as_json(checks: Sequence[Check]) -> str:
    """Return the same for programs."""
    return json.dumps(
        [
            {
                "name": check.name,
                "level": check.level.value,
                "text": check.text,
                "advice": check.advice,
                "values": dict(check.values),
            }
            for check in checks
        ],
        indent=1,
    )
