# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Inference that takes simulated time: the answer is there a fixed time after the observation."""

from collections.abc import Callable

from .inference import Inference, InferenceRequest, InferenceResult


def _nothing() -> None:
    pass


class SimulatedWorker:
    """Infers at once, in the thread that asks, and keeps the answer back.

    Whatever the policy raises comes out of ``submit``: in a simulation it is a bug, and nothing to recover
    from.
    """

    def __init__(
        self, inference: Inference, latency_ns: int, on_inference: Callable[[], None] = _nothing
    ) -> None:
        """Start idle.

        Args:
            inference: Answers.
            latency_ns: From the stamp of the newest observation to the answer, simulated time.
            on_inference: Called after each inference, when it was asked for, not when its answer is there.
        """
        self._inference, self._latency_ns, self._on_inference = inference, latency_ns, on_inference
        self._result: InferenceResult | None = None
        self._stopped = False

    @property
    def idle(self) -> bool:
        """Whether a request would be taken."""
        return self._result is None and not self._stopped

    def stop(self) -> int | None:
        """Take no more requests; returns when the answer that is still kept back will be there."""
        self._stopped = True
        return self._ready_ns()

    def submit(self, request: InferenceRequest) -> bool:
        """Infer; False, and nothing done, while an answer has not been taken."""
        if not self.idle:
            return False
        self._result = self._inference(request)
        self._on_inference()
        return True

    def take(self, now_ns: int) -> InferenceResult | None:
        """Return the answer once, when its time has come."""
        ready_ns = self._ready_ns()
        if ready_ns is None or now_ns < ready_ns:
            return None
        result, self._result = self._result, None
        return result

    def _ready_ns(self) -> int | None:
        if self._result is None:
            return None
        return self._result.request.history[-1].stamp_ns + self._latency_ns
