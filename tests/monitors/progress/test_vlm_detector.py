# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The vision-language detector against a real server: verdicts, and every way to get none."""

import json
import math
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from lbm_policy_node.monitors.progress.report import ProgressReport, ProgressSnapshot
from lbm_policy_node.monitors.progress.vlm import VlmDetector
from lbm_policy_node.monitors.progress.vlm_config import VlmConfig

Snapshot = Callable[..., ProgressSnapshot]
Ask = Callable[..., ProgressReport]
KEY = "sk-very-secret-0123456789"


@pytest.fixture
def config(server: Any) -> VlmConfig:
    return VlmConfig(server.url, "some-model", query_period_s=0.0, timeout_s=20.0)


@pytest.fixture
def make() -> Iterator[Callable[[VlmConfig], VlmDetector]]:
    """Makes detectors and closes them."""
    made: list[VlmDetector] = []

    def make_detector(config: VlmConfig) -> VlmDetector:
        detector = VlmDetector(config)
        made.append(detector)
        return detector

    yield make_detector
    for detector in made:
        detector.close()


@pytest.fixture
def ask(config: VlmConfig, make: Any, snapshot: Snapshot, wait: Any) -> Ask:
    """One report about one snapshot, with a changed configuration."""

    def ask_once(**changes: Any) -> ProgressReport:
        detector = make(replace(config, **changes))
        detector.submit(snapshot(12.0))
        report = wait(detector)
        assert report.stamp_ns == snapshot(12.0).stamp_ns and report.detector == "vlm"
        return report

    return ask_once


def assert_no_verdict(report: ProgressReport, *words: str) -> None:
    assert report.failed is None and math.isnan(report.score)
    assert all(word in report.text for word in words), report.text


def test_ok_and_failure_are_verdicts_with_the_analysis(server: Any, ask: Ask) -> None:
    report = ask()
    assert (report.failed, report.score, report.text) == (False, 0.0, "the gripper holds the puck")
    server.behaviour = lambda h: h.reply(server.verdict("failure", "it fell\nto the \x1b[31mfloor"))
    report = ask()
    assert (report.failed, report.score, report.text) == (True, 1.0, "it fell to the [31mfloor")


@pytest.mark.parametrize(
    "content",
    [
        "",
        "Overall assessment: failure",
        '{"questions": [], "analysis": "x"}',
        '{"questions": [], "analysis": "x", "assessment": "FAILURE"}',
        '{"questions": [], "analysis": "x", "assessment": ["failure"]}',
        '{"questions": [], "assessment": "failure"}',
        '{"questions": [1], "analysis": "x", "assessment": "ok"}',
        '{"questions": [], "analysis": "x", "assessment": "ok", "assessment": "failure"}',
        '[{"questions": [], "analysis": "x", "assessment": "ok"}]',
        'Sure! {"questions": [], "analysis": "x", "assessment": "ok"}',
        '{"questions": [], "analysis": "x", "assessment": "failu',
        "[" * 100_000,
        None,
        [{"type": "text", "text": "ok"}],
    ],
)
def test_what_cannot_be_read_strictly_is_no_verdict(server: Any, ask: Ask, content: Any) -> None:
    server.behaviour = lambda h: h.reply(server.completion(content))
    report = ask()
    assert_no_verdict(report, "no verdict:")
    assert len(report.text) < 400 and report.text.isprintable()


def test_an_unreadable_answer_is_quoted(server: Any, ask: Ask) -> None:
    server.behaviour = lambda h: h.reply(server.completion("I think\nit looks fine."))
    assert_no_verdict(ask(), "no JSON object", "I think it looks fine.")


def test_a_code_fence_and_further_keys_are_no_obstacle(server: Any, ask: Ask) -> None:
    data = {"questions": ["?"], "analysis": "x", "assessment": "failure", "confidence": 0.7}
    server.behaviour = lambda h: h.reply(server.completion(f"```json\n{json.dumps(data)}\n```\n"))
    assert ask().failed is True


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<html>busy</html>", "the reply is no JSON: <html>busy</html>"),
        (b"\xff\xfe\x00", "the reply is no JSON"),
        (b"[" * 100_000, "the reply is no JSON"),
        (b'{"error": "model not loaded"}', "no chat completion: {'error': 'model not loaded'}"),
        (b'{"choices": []}', "no chat completion"),
        (b"null", "no chat completion"),
    ],
)
def test_a_reply_in_another_format_is_no_verdict(server: Any, ask: Ask, body: bytes, reason: str) -> None:
    server.behaviour = lambda h: h.reply(body)
    assert_no_verdict(ask(), reason)


def test_an_error_of_the_server_is_quoted(server: Any, ask: Ask) -> None:
    server.behaviour = lambda h: h.reply(b"out of memory", 500)
    assert_no_verdict(ask(), "HTTP 500", "out of memory")


def test_a_reply_that_is_too_long_is_not_read_to_its_end(server: Any, ask: Ask) -> None:
    def endless(handler: Any) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not server.release.is_set():
            handler.wfile.write(b" " * 65536)

    server.behaviour = endless
    assert_no_verdict(ask(max_reply_bytes=4096), "longer than 4096 bytes")


def test_nobody_listening_is_no_verdict(ask: Ask) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
        assert_no_verdict(ask(endpoint=url), "ConnectionRefusedError")


def test_a_connection_that_is_cut_is_no_verdict(server: Any, ask: Ask) -> None:
    server.behaviour = lambda h: h.connection.shutdown(socket.SHUT_RDWR)
    assert_no_verdict(ask(), "RemoteDisconnected")


def test_a_redirect_is_not_followed(server: Any, ask: Ask) -> None:
    for status in (301, 302, 307, 308):
        server.behaviour = lambda h, status=status: h.reply(b"", status, Location=f"{server.url}/elsewhere")
        assert_no_verdict(ask(), f"HTTP {status}", "not followed")
    assert {request.path for request in server.requests} == {"/v1/chat/completions"}
    assert len(server.requests) == 4


def test_a_wrong_key_is_no_verdict_and_never_shown(
    server: Any, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_KEY", KEY)
    server.behaviour = lambda h: h.reply(f"no such key: {h.headers['Authorization']}".encode(), 401)
    report = ask(api_key_env="SOME_KEY")
    assert_no_verdict(report, "HTTP 401", "no such key: Bearer ***")
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert KEY not in repr(report) and KEY not in repr(server.requests[0].body)


def test_without_a_named_variable_no_key_is_sent(
    server: Any, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    ask()
    assert "authorization" not in server.requests[0].headers


@pytest.mark.parametrize(("value", "reason"), [("", "is not set"), ("a\nb", "spaces or"), ("a b", "spaces")])
def test_a_missing_or_malformed_key_is_refused_before_anything_is_sent(
    server: Any, config: VlmConfig, monkeypatch: pytest.MonkeyPatch, value: str, reason: str
) -> None:
    monkeypatch.setenv("SOME_KEY", value)
    with pytest.raises(ValueError, match=rf"SOME_KEY.*{reason}") as refused:
        VlmDetector(replace(config, api_key_env="SOME_KEY"))
    assert not value or value not in str(refused.value)
    assert not server.requests


def hang(server: Any) -> Callable[[Any], None]:
    """Answers after the test has released it."""

    def behaviour(handler: Any) -> None:
        server.release.wait()
        handler.reply(server.verdict("failure"))

    return behaviour


def drip(server: Any) -> Callable[[Any], None]:
    """One byte now and then, so that a socket's own time-out never ends it."""

    def behaviour(handler: Any) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not server.release.wait(0.02):
            handler.wfile.write(b" ")

    return behaviour


@pytest.mark.parametrize("behaviour", [hang, drip])
def test_an_endpoint_that_takes_too_long_is_no_verdict(server: Any, ask: Ask, behaviour: Any) -> None:
    server.behaviour = behaviour(server)
    assert_no_verdict(ask(timeout_s=0.3), "no reply within 0.3 s")


def test_nobody_waits_for_an_endpoint_that_hangs(
    server: Any, config: VlmConfig, make: Any, snapshot: Snapshot, wait: Any
) -> None:
    server.behaviour = hang(server)
    detector = make(config)
    detector.submit(snapshot(0))
    server.wait_for_requests(1)
    for second in range(1, 50):  # returns each time although the request stays open
        detector.submit(snapshot(second))
        assert detector.take() is None
    assert len(server.requests) == 1
    server.release.set()
    assert [wait(detector).stamp_ns for _ in range(2)] == [snapshot(0).stamp_ns, snapshot(49).stamp_ns]
    assert len(server.requests) == 2


def test_close_ends_a_request_in_progress(
    server: Any, config: VlmConfig, make: Any, snapshot: Snapshot
) -> None:
    server.behaviour = hang(server)
    detector = make(replace(config, timeout_s=600.0))
    detector.submit(snapshot())
    server.wait_for_requests(1)
    detector.close()
    assert not detector.alive and not server.release.is_set()


def test_a_reset_drops_the_answer_about_the_old_episode(
    server: Any, config: VlmConfig, make: Any, snapshot: Snapshot, wait: Any
) -> None:
    server.behaviour = hang(server)
    detector = make(config)
    detector.submit(snapshot(5, instruction="the old task"))
    server.wait_for_requests(1)
    detector.reset()
    detector.submit(snapshot(0, instruction="the new task"))
    server.release.set()
    assert wait(detector).stamp_ns == snapshot(0).stamp_ns
    text, *pictures = server.requests[1].body["messages"][1]["content"]
    assert "the new task" in text["text"] and len(pictures) == 1


def test_failures_in_a_row_are_counted_until_a_verdict(
    server: Any, config: VlmConfig, make: Any, snapshot: Snapshot, wait: Any
) -> None:
    detector = make(config)
    replies = iter([b"1", b"2", b"3", server.verdict("ok"), b"5"])
    server.behaviour = lambda h: h.reply(next(replies))
    texts = []
    for second in range(5):
        detector.submit(snapshot(second))
        texts.append(wait(detector).text.partition(":")[0])
    rows = ["no verdict", "no verdict (2 times in a row)", "no verdict (3 times in a row)"]
    assert texts == [*rows, "the gripper holds the puck", "no verdict"]
