# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What the progress tests share: snapshots, and a real HTTP server on the loopback that speaks the OpenAI
format and misbehaves as it is told."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest

from lbm_policy_node.monitors.progress.detector import ProgressDetector
from lbm_policy_node.monitors.progress.report import ProgressReport, ProgressSnapshot

PATIENCE_S = 30.0


def completion(content: Any) -> bytes:
    """A chat completion that says something."""
    message = {"role": "assistant", "content": content}
    return json.dumps({"object": "chat.completion", "choices": [{"index": 0, "message": message}]}).encode()


def verdict(assessment: str, analysis: str = "the gripper holds the puck") -> bytes:
    """A chat completion with a verdict."""
    data = {"questions": ["Is it held?"], "analysis": analysis, "assessment": assessment}
    return completion(json.dumps(data))


@dataclass
class Request:
    """What arrived."""

    path: str
    headers: dict[str, str]
    body: Any


class Handler(BaseHTTPRequestHandler):
    """Notes the request, then does what the test said."""

    server: "EndpointServer"

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        body = json.loads(self.rfile.read(length))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.note(Request(self.path, headers, body))
        self.server.behaviour(self)

    do_GET = do_POST  # a client that followed a redirect might come back with this

    def reply(self, body: bytes, status: int = 200, **headers: str) -> None:
        """Send a whole answer."""
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Stay quiet."""


@dataclass
class Seen:
    """The requests so far."""

    requests: list[Request] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)


class EndpointServer(ThreadingHTTPServer):
    """Serves in threads until `stop`."""

    daemon_threads = True
    completion = staticmethod(completion)
    verdict = staticmethod(verdict)

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen = Seen()
        self.release = threading.Event()
        self.behaviour: Callable[[Handler], None] = lambda handler: handler.reply(verdict("ok"))
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    @property
    def url(self) -> str:
        """The base address that a client is configured with."""
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    @property
    def requests(self) -> list[Request]:
        """What arrived so far."""
        with self.seen.changed:
            return list(self.seen.requests)

    def note(self, request: Request) -> None:
        """Remember a request and wake who waits for it."""
        with self.seen.changed:
            self.seen.requests.append(request)
            self.seen.changed.notify_all()

    def wait_for_requests(self, count: int) -> None:
        """Wait until that many arrived."""
        with self.seen.changed:
            assert self.seen.changed.wait_for(lambda: len(self.seen.requests) >= count, PATIENCE_S)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is what some tests want."""

    def stop(self) -> None:
        """End all threads."""
        self.release.set()
        self.shutdown()
        self._thread.join()
        self.server_close()


@pytest.fixture
def server() -> Iterator[EndpointServer]:
    """A server that answers "ok" unless a test gives it another behaviour."""
    running = EndpointServer()
    yield running
    running.stop()


def make_snapshot(second: float = 0.0, **changes: Any) -> ProgressSnapshot:
    """A moment of an episode that began at 100 s."""
    values: dict[str, Any] = {
        "stamp_ns": 100_000_000_000 + round(second * 1e9),
        "elapsed_s": second,
        "time_limit_s": 30.0,
        "instruction": "open the door",
        "image": np.full((24, 32, 3), 90, np.uint8),
    }
    return ProgressSnapshot(**{**values, **changes})


@pytest.fixture
def snapshot() -> Callable[..., ProgressSnapshot]:
    """Makes moments of an episode."""
    return make_snapshot


def wait_for_report(detector: ProgressDetector) -> ProgressReport:
    """Poll as a node does, until there is a report."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if (report := detector.take()) is not None:
            return report
        time.sleep(0.005)
    raise AssertionError(f"no report within {PATIENCE_S} s")


@pytest.fixture
def wait() -> Callable[[ProgressDetector], ProgressReport]:
    """Waits for a detector's next report."""
    return wait_for_report
