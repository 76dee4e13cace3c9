# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Missing progress as a vision-language model sees it, behind an OpenAI-compatible endpoint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lbm_policy_node.monitors.progress.detector import NewestWorker
from lbm_policy_node.monitors.progress.endpoint import EndpointError, JsonEndpoint
from lbm_policy_node.monitors.progress.frames import Frame, FrameHistory, jpeg_data_url
from lbm_policy_node.monitors.progress.prompt import SYSTEM, excerpt, parse_answer, user_prompt
from lbm_policy_node.monitors.progress.report import ProgressReport, ProgressSnapshot, no_verdict
from lbm_policy_node.monitors.progress.vlm_config import VlmConfig

NAME = "vlm"


@dataclass(frozen=True, eq=False)
class VlmJob:
    """One question: the moment and the pictures that led to it."""

    snapshot: ProgressSnapshot
    frames: tuple[Frame, ...]

    @property
    def stamp_ns(self) -> int:
        """Of the moment."""
        return self.snapshot.stamp_ns


class VlmJudge:
    """Asks the model; called by the worker's thread only, except `abort`."""

    def __init__(self, config: VlmConfig) -> None:
        """Check the address and read the key; nothing is sent."""
        self._config = config
        self._endpoint = JsonEndpoint(
            config.endpoint.rstrip("/") + "/chat/completions",
            key_variable=config.api_key_env,
            timeout_s=config.timeout_s,
            max_reply_bytes=config.max_reply_bytes,
        )
        self._failures = 0

    def abort(self) -> None:
        """End a request in progress; any thread may call this."""
        self._endpoint.abort()

    def __call__(self, job: VlmJob) -> ProgressReport:
        """One verdict, or the reason why there is none; failures in a row are counted across episodes."""
        try:
            answer = parse_answer(_content(self._endpoint.post(self._request(job))))
        except (EndpointError, ValueError) as error:
            self._failures += 1
            row = f" ({self._failures} times in a row)" if self._failures > 1 else ""
            return no_verdict(job.stamp_ns, NAME, f"no verdict{row}: {error}")
        self._failures = 0
        return ProgressReport(
            stamp_ns=job.stamp_ns,
            failed=answer.failed,
            score=float(answer.failed),
            detector=NAME,
            text=answer.analysis,
        )

    def _request(self, job: VlmJob) -> dict[str, Any]:
        config = self._config
        text = user_prompt(job.snapshot, [frame.elapsed_s for frame in job.frames])
        urls = [jpeg_data_url(f.image, config.max_side_px, config.jpeg_quality) for f in job.frames]
        pictures = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
        return {
            "model": config.model,
            "messages": [
                {"role": "system", "content": SYSTEM},
                {"role": "user", "content": [{"type": "text", "text": text}, *pictures]},
            ],
            "temperature": 0,
            "max_tokens": config.max_tokens,
            "response_format": {"type": "json_object"},
            "stream": False,
        }


class VlmDetector:
    """The detector: keeps pictures, and asks now and then in a thread of its own."""

    name = NAME

    def __init__(self, config: VlmConfig) -> None:
        """Start the thread; nothing is sent before a snapshot comes.

        Raises:
            ValueError: The key's environment variable is not set.
        """
        self._query_period_ns = round(config.query_period_s * 1e9)
        self._query_period_s = config.query_period_s
        self._history = FrameHistory(config.frame_period_s, config.max_frames)
        self._asked_ns: int | None = None
        self._judge = VlmJudge(config)
        self._worker = NewestWorker(NAME, self._judge)

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._worker.alive

    def submit(self, snapshot: ProgressSnapshot) -> None:
        """Keep the picture, and leave a question for the thread when one is due."""
        self._history.push(snapshot.stamp_ns, Frame(snapshot.elapsed_s, snapshot.image))
        if self._due(snapshot):
            self._asked_ns = snapshot.stamp_ns
            self._worker.submit(VlmJob(snapshot, self._history.frames()))

    def take(self) -> ProgressReport | None:
        """The oldest report that was not taken yet."""
        return self._worker.take()

    def reset(self) -> None:
        """Begin a new episode; the answer to a question in progress will be dropped."""
        self._history.clear()
        self._asked_ns = None
        self._worker.reset()

    def close(self) -> None:
        """End the request in progress and the thread."""
        self._judge.abort()
        self._worker.close()

    def _due(self, snapshot: ProgressSnapshot) -> bool:
        if self._asked_ns is None or snapshot.stamp_ns < self._asked_ns:  # or the clock was set back
            return snapshot.elapsed_s >= self._query_period_s
        return snapshot.stamp_ns - self._asked_ns >= self._query_period_ns


def _content(reply: Any) -> str:
    """The text of the first choice of a chat completion.

    Raises:
        ValueError: The reply is none.
    """
    try:
        content = reply["choices"][0]["message"]["content"]
    except (KeyError, IndexError, TypeError) as error:
        raise ValueError(f"the reply is no chat completion: {excerpt(str(reply))}") from error
    if not isinstance(content, str):
        raise ValueError(f"the reply's content is no text: {excerpt(str(content))}")
    return content
