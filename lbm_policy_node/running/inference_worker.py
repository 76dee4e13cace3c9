# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs inference in its own thread, one request at a time, so that no callback waits for it."""

import queue
import threading
import time
import traceback
from collections.abc import Callable
from typing import Protocol

from lbm_policy_node.policies.checkpoint.errors import PolicyUnavailable

from .inference import Inference, InferenceRequest, InferenceResult


class InferenceWorker(Protocol):
    """What the policy loop asks for inferences, one at a time. All calls belong to the loop's thread."""

    @property
    def idle(self) -> bool:
        """Whether a request would be taken."""
        ...

    def submit(self, request: InferenceRequest) -> bool:
        """Hand over a request; False, and nothing done, while an answer has not been taken."""
        ...

    def take(self, now_ns: int) -> InferenceResult | None:
        """Return the answer once, when it is there at this ROS time."""
        ...


class ThreadedWorker:
    """Infers in a daemon thread; an answer is there when it is finished.

    Threads: ``submit``, ``take`` and ``stop`` belong to the node's executor thread. ``wake`` is called from
    the worker's thread when an answer is ready and must be thread-safe (trigger a guard condition).
    """

    def __init__(self, inference: Inference, wake: Callable[[], None]) -> None:
        """Start the thread; inferences happen in it."""
        self._inference, self._wake = inference, wake
        self._requests: queue.Queue[InferenceRequest | None] = queue.Queue()
        self._results: queue.Queue[InferenceResult] = queue.Queue()
        self._in_flight = False
        self._thread = threading.Thread(target=self._work, name="inference", daemon=True)
        self._thread.start()

    @property
    def idle(self) -> bool:
        """Whether a request would be taken."""
        return not self._in_flight

    def submit(self, request: InferenceRequest) -> bool:
        """Hand over a request; False, and nothing queued, while one is in flight."""
        if self._in_flight:
            return False
        self._in_flight = True
        self._requests.put(request)
        return True

    def take(self, now_ns: int) -> InferenceResult | None:
        """Return the finished answer, once; it is finished when it is, whatever the ROS time."""
        del now_ns
        try:
            result = self._results.get_nowait()
        except queue.Empty:
            return None
        self._in_flight = False
        return result

    def stop(self, timeout_s: float = 5.0) -> bool:
        """End the thread after the present inference; False when that takes longer than the time-out."""
        self._requests.put(None)
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _work(self) -> None:
        while (request := self._requests.get()) is not None:
            self._results.put(self._infer(request))
            self._wake()

    def _infer(self, request: InferenceRequest) -> InferenceResult:
        began = time.perf_counter()
        try:
            return self._inference(request)
        except PolicyUnavailable as failure:
            error, unavailable = f"the policy is not available: {failure}", True
        except Exception as failure:  # whatever a policy raises becomes a published reason
            error, unavailable = "".join(traceback.format_exception_only(failure)).strip(), False
        elapsed_s = time.perf_counter() - began
        return InferenceResult(request, None, error, elapsed_s, unavailable=unavailable)
