# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What a vision-language model is asked, and how its answer is read.

The idea of the prompt is Sentinel's (arXiv 2410.04640): pictures at about 1 Hz, elapsed time and time limit,
questions first, then an analysis, then one word. Unlike there, an answer that cannot be read is no verdict
instead of a failure.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lbm_policy_node.monitors.progress.report import ProgressSnapshot

SYSTEM = """\
You watch a robot that carries out a task by itself, and judge from camera pictures whether it will succeed.

You get the task, how much time has passed, how much time is allowed, and pictures in time order.
Work in this order:
1. questions: write the two to four questions whose answers decide whether this task can still succeed. Ask
what must have moved, what must be held, and what has changed between the pictures.
2. analysis: answer them in a few sentences from what the pictures show. Compare the first picture with the
last. Say when something cannot be seen.
3. assessment: "failure" if the robot is stuck, works on the wrong object, has lost or dropped what it needs,
undoes its own work, or cannot finish in the time that is left; otherwise "ok". A robot that is slow, or
has only begun, is "ok" while time remains.

Answer with one JSON object and nothing else:
{"questions": ["..."], "analysis": "...", "assessment": "ok" or "failure"}"""

SHOWN_CHARACTERS = 200


@dataclass(frozen=True)
class Answer:
    """A model's verdict."""

    failed: bool
    analysis: str


def user_prompt(snapshot: ProgressSnapshot, elapsed_s: Sequence[float]) -> str:
    """The text beside the pictures.

    Args:
        snapshot: Instruction and times.
        elapsed_s: When each picture was taken, after the episode's beginning.
    """
    limit_s = snapshot.time_limit_s
    limit = f"{limit_s:.0f} s" if math.isfinite(limit_s) else "none"
    lines = [
        f"Task: {json.dumps(snapshot.instruction, ensure_ascii=False)}",
        f"Time passed: {snapshot.elapsed_s:.1f} s",
        f"Time limit: {limit}",
    ]
    if math.isfinite(limit_s):
        lines.append(f"Time left: {max(0.0, limit_s - snapshot.elapsed_s):.1f} s")
    times = ", ".join(f"{second:.1f}" for second in elapsed_s)
    lines.append(f"Pictures: {len(elapsed_s)}, taken at {times} s, oldest first.")
    return "\n".join(lines)


def parse_answer(content: str) -> Answer:
    """Read a verdict; strict, because a guess at what a model meant is no verdict.

    The content must be one JSON object, bare or in one code fence, with `questions` (a list of texts),
    `analysis` (a text) and `assessment` ("ok" or "failure"); further keys are ignored, repeated ones refused.

    Raises:
        ValueError: Naming what is wrong, with an excerpt.
    """
    fenced = re.fullmatch(r"\s*```(?:json)?\s*\n(.*?)\n\s*```\s*", content, re.DOTALL)
    try:
        data = json.loads(fenced[1] if fenced else content, object_pairs_hook=_without_repeats)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"the answer is no JSON object: {excerpt(content)}") from error
    if not isinstance(data, dict):
        raise ValueError(f"the answer is no JSON object: {excerpt(content)}")
    questions, analysis, assessment = (data.get(key) for key in ("questions", "analysis", "assessment"))
    if not isinstance(questions, list) or not all(isinstance(question, str) for question in questions):
        raise ValueError(f"the answer's 'questions' is no list of texts: {excerpt(content)}")
    if not isinstance(analysis, str):
        raise ValueError(f"the answer's 'analysis' is no text: {excerpt(content)}")
    if not isinstance(assessment, str) or assessment not in ("ok", "failure"):
        raise ValueError(f'the answer\'s \'assessment\' is neither "ok" nor "failure": {excerpt(content)}')
    return Answer(assessment == "failure", excerpt(analysis))


def excerpt(text: str) -> str:
    """The beginning of a foreign text in one printable line."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * SHOWN_CHARACTERS]).split())
    return line if len(line) <= SHOWN_CHARACTERS else line[:SHOWN_CHARACTERS] + " ..."


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    repeated = sorted({key for key in keys if keys.count(key) > 1})
    if repeated:
        raise ValueError(f"the answer repeats {excerpt(', '.join(repeated))}")
    return dict(pairs)
