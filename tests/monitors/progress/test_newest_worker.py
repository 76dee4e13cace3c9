# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The worker thread: nobody waits for it, the newest job wins, and nothing that it does is lost silently."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lbm_policy_node.monitors.progress.detector import KEPT_REPORTS, NewestWorker
from lbm_policy_node.monitors.progress.report import ProgressReport, ProgressSnapshot

Snapshot = Callable[..., ProgressSnapshot]


class Judge:
    """Waits for `go` before each verdict, and says what it began."""

    def __init__(self) -> None:
        self.began: list[int] = []
        self.changed = threading.Condition()
        self.go = threading.Semaphore(0)

    def __call__(self, job: ProgressSnapshot) -> ProgressReport:
        with self.changed:
            self.began.append(job.stamp_ns)
            self.changed.notify_all()
        assert self.go.acquire(timeout=30)
        if job.instruction == "raise":
            raise KeyError("no such thing")
        return ProgressReport(stamp_ns=job.stamp_ns, failed=False, score=0.0, detector="x", text="")

    def wait_until_begun(self, count: int) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.began) >= count, 30)


@pytest.fixture
def judge() -> Judge:
    return Judge()


@pytest.fixture
def worker(judge: Judge) -> Iterator[NewestWorker[ProgressSnapshot]]:
    made = NewestWorker("x", judge)
    yield made
    judge.go.release(100)
    assert made.close()


def test_only_the_newest_waiting_job_is_judged(
    worker: Any, judge: Judge, snapshot: Snapshot, wait: Any
) -> None:
    jobs = [snapshot(second) for second in range(5)]
    worker.submit(jobs[0])
    judge.wait_until_begun(1)
    for job in jobs[1:]:
        worker.submit(job)
    assert worker.take() is None
    judge.go.release(2)
    assert [wait(worker).stamp_ns for _ in range(2)] == [jobs[0].stamp_ns, jobs[4].stamp_ns]
    assert judge.began == [jobs[0].stamp_ns, jobs[4].stamp_ns] and worker.take() is None


def test_an_exception_is_a_report_without_a_verdict_and_the_thread_goes_on(
    worker: Any, judge: Judge, snapshot: Snapshot, wait: Any
) -> None:
    judge.go.release(2)
    worker.submit(snapshot(1, instruction="raise"))
    report = wait(worker)
    assert report.failed is None and report.text == "KeyError: 'no such thing'"
    worker.submit(snapshot(2))
    assert wait(worker).failed is False and worker.alive


def test_a_reset_drops_what_belongs_to_the_old_episode(
    worker: Any, judge: Judge, snapshot: Snapshot, wait: Any
) -> None:
    worker.submit(snapshot(1))
    judge.wait_until_begun(1)
    worker.submit(snapshot(2))
    worker.reset()
    judge.go.release()  # the job in progress ends after the reset
    worker.submit(snapshot(3))
    judge.go.release()
    assert wait(worker).stamp_ns == snapshot(3).stamp_ns
    assert judge.began == [snapshot(1).stamp_ns, snapshot(3).stamp_ns] and worker.take() is None


def test_reports_that_nobody_takes_do_not_pile_up(worker: Any, judge: Judge, snapshot: Snapshot) -> None:
    count = KEPT_REPORTS + 3
    for second in range(count):
        worker.submit(snapshot(second))
        judge.wait_until_begun(second + 1)
        judge.go.release()
    worker.submit(snapshot(count))
    judge.wait_until_begun(count + 1)  # so all before it are finished
    taken = []
    while (report := worker.take()) is not None:
        taken.append(report.stamp_ns)
    assert taken == [snapshot(second).stamp_ns for second in range(3, count)]


def test_close_ends_the_thread_and_later_jobs_are_ignored(
    worker: Any, judge: Judge, snapshot: Snapshot
) -> None:
    assert worker.close() and not worker.alive
    worker.submit(snapshot())
    assert worker.take() is None and judge.began == []
