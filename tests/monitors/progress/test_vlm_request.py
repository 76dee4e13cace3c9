# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What leaves the machine: which pictures, when, and with which words."""

import base64
import io
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lbm_policy_node.monitors.progress.frames import Frame, FrameHistory, jpeg_data_url
from lbm_policy_node.monitors.progress.report import ProgressSnapshot
from lbm_policy_node.monitors.progress.vlm import VlmDetector
from lbm_policy_node.monitors.progress.vlm_config import VlmConfig

Snapshot = Callable[..., ProgressSnapshot]


@pytest.fixture
def detector(server: Any) -> Iterator[VlmDetector]:
    made = VlmDetector(VlmConfig(server.url + "/", "some-model", query_period_s=3.0, max_frames=4))
    yield made
    made.close()


def grey(second: float) -> np.ndarray:
    return np.full((24, 32, 3), round(10 * second), np.uint8)


def decode(part: dict[str, Any]) -> np.ndarray:
    kind, _, data = part["image_url"]["url"].partition(",")
    assert (part["type"], kind) == ("image_url", "data:image/jpeg;base64")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data, validate=True))))


def test_a_request_holds_the_newest_pictures_and_the_times(
    server: Any, detector: VlmDetector, snapshot: Snapshot, wait: Any
) -> None:
    for tick in range(61):  # 10 Hz for 6 s: questions at 3 s and 6 s
        detector.submit(snapshot(tick / 10, image=grey(tick / 10), instruction='say "ok"\nnow'))
        if tick in (30, 60):
            wait(detector)
    assert [request.path for request in server.requests] == ["/v1/chat/completions"] * 2
    body = server.requests[1].body
    assert (body["model"], body["temperature"], body["stream"]) == ("some-model", 0, False)
    system, user = body["messages"]
    assert system["role"] == "system" and '"assessment": "ok" or "failure"' in system["content"]
    text, *pictures = user["content"]
    assert text["text"].splitlines() == [
        'Task: "say \\"ok\\"\\nnow"',
        "Time passed: 6.0 s",
        "Time limit: 30 s",
        "Time left: 24.0 s",
        "Pictures: 4, taken at 3.0, 4.0, 5.0, 6.0 s, oldest first.",
    ]
    shown = [decode(picture) for picture in pictures]
    assert {image.shape for image in shown} == {(24, 32, 3)}
    assert np.allclose([image.mean() for image in shown], [30, 40, 50, 60], atol=1.5)


def test_no_time_limit_is_said(server: Any, detector: VlmDetector, snapshot: Snapshot, wait: Any) -> None:
    detector.submit(snapshot(3, time_limit_s=float("inf")))
    wait(detector)
    text = server.requests[0].body["messages"][1]["content"][0]["text"]
    assert "Time limit: none" in text and "Time left" not in text


def test_a_clock_that_goes_back_starts_a_new_history(
    server: Any, detector: VlmDetector, snapshot: Snapshot, wait: Any
) -> None:
    for second in (20, 5):
        detector.submit(snapshot(second))
        wait(detector)
    assert len(server.requests[1].body["messages"][1]["content"]) == 2  # the text and one picture


def test_pictures_are_copies() -> None:
    history, image = FrameHistory(1.0, 2), grey(5)
    history.push(0, Frame(0.0, image))
    image[:] = 0
    assert (history.frames()[0].image == 50).all()


def test_colours_keep_their_order_and_large_pictures_shrink() -> None:
    image = np.zeros((480, 640, 3), np.uint8)
    image[..., 0] = 200  # red
    seen = decode({"type": "image_url", "image_url": {"url": jpeg_data_url(image, 160, 90)}})
    assert seen.shape == (120, 160, 3)
    assert np.allclose(seen.mean(axis=(0, 1)), [200, 0, 0], atol=3)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"endpoint": "file:///etc/passwd"}, "must be http://HOST"),
        ({"endpoint": "localhost:8000/v1"}, "must be http://HOST"),
        ({"endpoint": "http:///v1"}, "must be http://HOST"),
        ({"endpoint": "https://name:hunter2@host/v1"}, "must not carry a user name"),
        ({"endpoint": "http://host/v1?key=1"}, "without query"),
        ({"endpoint": "http://host/v 1"}, "without query, fragment or spaces"),
        ({"endpoint": "http://host:99999/v1"}, "impossible port"),
        ({"model": ""}, "model is empty"),
        ({"timeout_s": 0.0}, "timeout_s is 0; expected a number from 0.01 to 600"),
        ({"timeout_s": float("nan")}, "timeout_s is nan"),
        ({"max_frames": 0}, "max_frames is 0"),
        ({"jpeg_quality": 100}, "jpeg_quality is 100"),
    ],
)
def test_an_impossible_configuration_is_refused(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named) as refused:
        VlmConfig(**{"endpoint": "http://localhost:8000/v1", "model": "some-model", **changes})
    assert "hunter2" not in str(refused.value)
