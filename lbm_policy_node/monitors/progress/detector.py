# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The seam of progress detectors, and the thread in which they judge, so that no caller waits."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from lbm_policy_node.monitors.progress.report import ProgressReport, ProgressSnapshot, no_verdict

KEPT_REPORTS = 16
"""Finished reports that wait for `take`; the oldest is dropped."""

JOIN_S = 2.0


class ProgressDetector(Protocol):
    """Judges from time to time whether a task still makes progress.

    All calls belong to one thread, the chunk monitor's. None of them blocks, except `close` for a moment.
    """

    @property
    def name(self) -> str:
        """Short name, the `detector` of its reports."""
        ...

    def submit(self, snapshot: ProgressSnapshot) -> None:
        """Offer a moment to judge; a newer one replaces one that was not begun."""
        ...

    def take(self) -> ProgressReport | None:
        """The oldest finished report that was not taken yet, None where there is none."""
        ...

    def reset(self) -> None:
        """Begin a new episode: nothing seen before counts, and no report about it comes any more."""
        ...

    def close(self) -> None:
        """End; later snapshots are ignored."""
        ...


class Job(Protocol):
    """What is handed to the worker."""

    @property
    def stamp_ns(self) -> int:
        """Stamp that the report about it will carry."""
        ...


AnyJob = TypeVar("AnyJob", bound=Job)


class NewestWorker(Generic[AnyJob]):
    """One thread that judges the newest job; jobs that it had no time for are forgotten.

    ```
    submit   1  2  3  4  5        2 and 3 are replaced by 4 while 1 is judged
    judged   [1-------][4----]    a reset in between would drop the report of 1
    ```
    `submit`, `take`, `reset` and `close` belong to one thread; `judge` is called in the worker's.
    """

    def __init__(self, name: str, judge: Callable[[AnyJob], ProgressReport]) -> None:
        """Start the thread.

        Args:
            name: Of the detector, for the reports of exceptions.
            judge: Whatever it raises becomes a report without a verdict.
        """
        self._name, self._judge = name, judge
        self._changed = threading.Condition()
        self._waiting: AnyJob | None = None
        self._reports: deque[ProgressReport] = deque(maxlen=KEPT_REPORTS)
        self._episode = 0
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=f"progress-{name}", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def submit(self, job: AnyJob) -> None:
        """Leave a job for the thread."""
        with self._changed:
            self._waiting = None if self._closed else job
            self._changed.notify()

    def take(self) -> ProgressReport | None:
        """The oldest report that was not taken yet."""
        with self._changed:
            return self._reports.popleft() if self._reports else None

    def reset(self) -> None:
        """Drop the waiting job, the finished reports and the report of the job in progress."""
        with self._changed:
            self._waiting = None
            self._reports.clear()
            self._episode += 1

    def close(self) -> bool:
        """End the thread after the job in progress; False where that does not end within a moment."""
        with self._changed:
            self._closed, self._waiting = True, None
            self._changed.notify()
        self._thread.join(JOIN_S)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (taken := self._next()) is not None:
            job, episode = taken
            report = self._report(job)
            with self._changed:
                if episode == self._episode and not self._closed:
                    self._reports.append(report)

    def _next(self) -> tuple[AnyJob, int] | None:
        """Wait for a job; None when closed. The lock is never held while judging."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._waiting is not None)
            job, self._waiting = self._waiting, None
            return None if job is None else (job, self._episode)

    def _report(self, job: AnyJob) -> ProgressReport:
        try:
            return self._judge(job)
        except Exception as error:  # a dead thread would look like a detector that is content
            return no_verdict(job.stamp_ns, self._name, f"{type(error).__name__}: {error}")
