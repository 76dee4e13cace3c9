# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A progress detector beside the score: shown the camera while a run goes on, and never waited for."""

import json
import re
import threading
from array import array
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from lbm_msgs.msg import MonitorVerdict, PolicyStatus
from sensor_msgs.msg import CompressedImage

from helpers.fake_robot import SIZE, SPEC
from helpers.monitor_harness import CHUNKS_PER_EPISODE, MonitorUser, add_monitor_node, policy_chunk
from helpers.ros_graph import Graph
from lbm_policy_node.ros import conversion, qos

SIDE_CAMERA = "  side: {topic: /side, type: sensor_msgs/msg/CompressedImage, max_age_s: 0.25}\nimages:"


class Endpoint(ThreadingHTTPServer):
    """Speaks the OpenAI format on the loopback; answers once ``go`` is set."""

    daemon_threads = True

    def __init__(self, assessment: str) -> None:
        super().__init__(("127.0.0.1", 0), EndpointHandler)
        answer = {"questions": [], "analysis": "the door is shut", "assessment": assessment}
        message = {"role": "assistant", "content": json.dumps(answer)}
        self.reply = json.dumps({"choices": [{"index": 0, "message": message}]}).encode()
        self.questions: list[Any] = []
        self.go = threading.Event()
        self.go.set()
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that leaves before the answer is what one test wants."""

    def close(self) -> None:
        self.go.set()
        self.shutdown()
        self._thread.join()
        self.server_close()


class EndpointHandler(BaseHTTPRequestHandler):
    server: Endpoint

    def do_POST(self) -> None:
        self.server.questions.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.server.go.wait(30.0)
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.server.reply)))
        self.end_headers()
        self.wfile.write(self.server.reply)

    def log_message(self, format: str, *args: Any) -> None:
        """Stay quiet."""


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    """A model that sees a failure."""
    endpoint = Endpoint("failure")
    yield endpoint
    endpoint.close()


class Run:
    """A monitor with a progress detector, and a run of the policy in front of a camera."""

    def __init__(self, graph: Graph, folder: Path, calibration: Path, **parameters: Any) -> None:
        spec = folder / "spec.yaml"
        spec.write_text(SPEC.replace("images:", SIDE_CAMERA, 1))
        values = {"progress": "vlm", "progress_model": "m", "progress_query_s": 0.1, "progress_period_s": 0.1}
        add_monitor_node(graph, spec, calibration=str(calibration), **{**values, **parameters})
        self.graph, self.user = graph, MonitorUser(graph)
        self.index = self._start_ns = 0
        self._status = self.user.node.create_publisher(PolicyStatus, "/policy_node/status", qos.STATUS)
        self._side = self.user.node.create_publisher(CompressedImage, "/side", qos.CAMERA)
        graph.spin_until(lambda: self._status.get_subscription_count() == 1, "the monitor to hear the status")

    def status(self, state: int, time_limit_s: float = 30.0) -> None:
        self.graph.send(self._status, PolicyStatus(state=state, time_limit_s=time_limit_s))

    def chunk(self) -> MonitorVerdict:
        """Publish the next chunk."""
        if self.index == 0:
            self._start_ns = self.graph.robot.now_ns
        self.index += 1
        return self.user.judge(policy_chunk(self.index - 1, start_ns=self._start_ns))

    def watch(self, ticks: int = 16) -> None:
        """Let the cameras deliver."""
        for _ in range(ticks):
            self.graph.step()
            png = cv2.imencode(".png", np.full((SIZE, SIZE, 3), 90, np.uint8))[1]
            picture = CompressedImage(format="png", data=array("B", png.tobytes()))
            picture.header.stamp = conversion.to_stamp(self.graph.robot.now_ns)
            self._side.publish(picture)
            self.graph.settle()

    def chunk_until(self, level: int) -> MonitorVerdict:
        """Publish chunks until a verdict has a level: the report arrives in wall time."""
        while (verdict := self.chunk()).level != level:
            assert self.index < CHUNKS_PER_EPISODE, verdict
            self.graph.wait(lambda: False, seconds=0.2)
        return verdict


@pytest.mark.parametrize("stream", ["", "wrist", "side"])
def test_a_model_that_sees_a_failure_makes_the_next_chunk_a_warning(
    graph, tmp_path, calibration, endpoint, stream
):
    run = Run(graph, tmp_path, calibration, progress_url=endpoint.url, progress_stream=stream)
    run.status(PolicyStatus.RUNNING)
    run.chunk()
    run.watch()
    graph.spin_until(lambda: endpoint.questions, "a question")
    verdict = run.chunk_until(MonitorVerdict.WARN)
    assert (verdict.detector, verdict.monitor) == ("progress", "vlm")
    assert "the door is shut" in verdict.text
    text = endpoint.questions[0]["messages"][1]["content"][0]["text"]
    assert '"move"' in text and "Time limit: 30 s" in text and "Time passed: 0." in text


def test_chunks_are_judged_while_the_model_thinks(graph, tmp_path, calibration, endpoint):
    endpoint.go.clear()
    run = Run(graph, tmp_path, calibration, progress_url=endpoint.url)
    run.status(PolicyStatus.RUNNING)
    run.chunk()
    run.watch()
    graph.spin_until(lambda: endpoint.questions, "a question")
    assert [run.chunk().level for _ in range(5)] == [MonitorVerdict.NORMAL] * 5
    endpoint.go.set()
    assert run.chunk_until(MonitorVerdict.WARN).detector == "progress"


def test_an_unreachable_model_is_reported_and_is_no_alarm(graph, tmp_path, calibration):
    run = Run(graph, tmp_path, calibration, progress_url="http://127.0.0.1:9/v1")
    run.status(PolicyStatus.RUNNING)
    run.chunk()
    run.watch()
    while "no verdict" not in (verdict := run.chunk()).text:
        assert run.index < CHUNKS_PER_EPISODE, verdict
        graph.wait(lambda: False, seconds=0.2)
    assert verdict.level == MonitorVerdict.NORMAL and "progress:vlm" in verdict.text


def test_nothing_is_shown_before_a_chunk_or_while_no_run_goes_on(graph, tmp_path, calibration, endpoint):
    run = Run(graph, tmp_path, calibration, progress_url=endpoint.url)
    run.status(PolicyStatus.RUNNING)
    run.watch()
    run.status(PolicyStatus.IDLE)
    run.chunk()
    run.watch()
    assert not endpoint.questions
    run.status(PolicyStatus.RUNNING, time_limit_s=0.0)
    run.watch()
    graph.spin_until(lambda: endpoint.questions, "a question")
    assert "Time limit: none" in endpoint.questions[0]["messages"][1]["content"][0]["text"]


@pytest.mark.parametrize(
    ("parameters", "complaint"),
    [
        ({"progress_url": "", "progress_model": "m"}, "http://HOST"),
        ({"progress_url": "http://localhost/v1", "progress_model": ""}, "model is empty"),
        (
            {"progress_url": "http://localhost/v1", "progress_model": "m", "progress_stream": "joints"},
            r"progress_stream is 'joints'; .* \['front', 'wrist'\]",
        ),
    ],
)
def test_a_detector_that_cannot_be_made_refuses_configure(graph, spec_file, parameters, complaint):
    node = add_monitor_node(graph, spec_file, progress="vlm", **parameters)
    assert node._state_machine.current_state[1] == "unconfigured"
    assert re.search(complaint, node._health().message)
