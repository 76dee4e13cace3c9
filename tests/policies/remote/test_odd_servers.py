# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Our client before servers that speak something else, answer nonsense or never finish, and openpi's."""

import json
import re
import socket
import struct
import threading
import time
from pathlib import Path

import msgpack
import numpy as np
import pytest
from websockets.utils import accept_key

from helpers.builders import FRONT, WRIST, make_images, make_observation
from helpers.odd_servers import array, openpi_server, tcp_server, values_of, websocket_server
from lbm_policy_node.core.types import Observation
from lbm_policy_node.policies.checkpoint.errors import CheckpointError, PolicyUnavailable
from lbm_policy_node.policies.load import load_policy
from lbm_policy_node.policies.remote.connection import RemoteError
from lbm_policy_node.policies.remote.protocol import ProtocolError

OPENPI = {
    "images": {
        "observation/image": {"key": "observation.images.front", "height": 24, "width": 32},
        "observation/wrist_image": {"key": "observation.images.wrist", "height": 24, "width": 32},
    },
    "state": {"observation/joint_position": 3, "observation/gripper_position": 1},
    "action_dim": 4,
    "horizon": 5,
    "n_action_steps": 3,
    "step_s": 0.05,
}
SERVED = {
    "kind": "served", "checkpoint_id": "0123456789abcdef", "images": [], "state_dim": 4, "action_dim": 4,
    "horizon": 5, "n_obs_steps": 1, "n_action_steps": 3, "step_s": 0.05, "stochastic": True,
    "accepts_prefix": False, "uses_language": True, "state_names": None, "action_names": None,
    "embedding_dim": 0,
}  # fmt: skip
OURS = {
    "protocol": "lbm_policy",
    "version": 1,
    "policy": SERVED,
    "description": {},
    "max_message_bytes": 1 << 20,
}
SHORT_S = 1.0
"""For servers that answer once and then never."""
SHORTER_S = 0.4
"""For servers that never answer; every other reply may take as long as a busy machine makes it."""
PATIENCE_S = 30.0


@pytest.fixture
def load(tmp_path: Path):
    """Loads a remote policy that does not wait for a server."""

    def make(url: str, openpi: object = None, **changes: object):
        config = {"type": "remote", "url": url, "reply_timeout_s": PATIENCE_S, "connect_timeout_s": 0.1}
        config |= {"openpi": openpi} if openpi else {}
        (tmp_path / "config.json").write_text(json.dumps({**config, **changes}))
        return load_policy(tmp_path)

    return make


@pytest.fixture
def seen() -> list[Observation]:
    images = make_images([FRONT, WRIST], 24, 32, seed=3)
    state = [0.1, 0.2, 0.3, 0.9]
    return [make_observation(stamp_ns=5, images=images, state=state, instruction="stack the cubes")]


def test_an_openpi_server_gets_its_keys_and_its_actions_arrive(load, seen):
    asked = []

    def answer(observation):
        asked.append(observation)
        base = values_of(observation["observation/joint_position"])[0] + len(asked)
        return {
            "actions": array(base + np.arange(20).reshape(5, 4), "<f4"),
            "server_timing": {"infer_ms": 1.5},
        }

    with websocket_server(openpi_server(answer, {"config": "pi05_libero"})) as url:
        policy = load(url, OPENPI)
        samples = policy.infer(seen, n_samples=2, seed=9)
    assert samples.shape == (2, 5, 4)
    expected = np.float32(0.1) + np.arange(20, dtype=np.float32).reshape(5, 4)
    np.testing.assert_allclose(samples, [expected + 1, expected + 2], rtol=1e-6)
    assert set(asked[0]) == {*OPENPI["images"], *OPENPI["state"], "prompt"}
    assert asked[0]["prompt"] == "stack the cubes"
    np.testing.assert_array_equal(
        values_of(asked[0]["observation/wrist_image"]), seen[0].images["observation.images.wrist"]
    )
    np.testing.assert_allclose(values_of(asked[0]["observation/gripper_position"]), [0.9], rtol=1e-6)
    assert policy.spec.kind == "openpi" and policy.describe()["config"] == "pi05_libero"


@pytest.mark.parametrize(
    ("reply", "error", "named"),
    [
        ({"actions": array(np.zeros((5, 7)))}, ProtocolError, "'actions' of shape (5, 7); expected (5, 4)"),
        ({"actions": array(np.zeros((4, 4)))}, ProtocolError, "(4, 4)"),
        ({"actions": [1, 2]}, ProtocolError, "no numbers as 'actions'"),
        ({}, ProtocolError, "no numbers"),
        (b"\xc1", ProtocolError, "is not a msgpack message"),
        ({"actions": {**array([1.0]), b"dtype": "|O"}}, ProtocolError, "'|O' is refused"),
        ("Traceback: out of memory", RemoteError, "out of memory"),
    ],
)
def test_a_wrong_answer_is_an_error_with_its_name_and_the_next_one_may_be_right(
    load, seen, reply, error, named
):
    replies = [reply, {"actions": array(np.ones((5, 4)))}]
    with websocket_server(openpi_server(lambda _: replies.pop(0))) as url:
        policy = load(url, OPENPI)
        with pytest.raises(error) as caught:
            policy.infer(seen)
        assert named in str(caught.value)
        np.testing.assert_array_equal(policy.infer(seen), np.ones((1, 5, 4)))


def test_jpeg_is_not_for_openpis_server(load):
    with pytest.raises(CheckpointError, match="jpeg_quality: is 90, expected 0"):
        load("ws://127.0.0.1:1", OPENPI, jpeg_quality=90)


def test_nan_is_passed_on_for_the_caller_to_refuse(load, seen):
    with websocket_server(openpi_server(lambda _: {"actions": array(np.full((5, 4), np.nan))})) as url:
        assert np.isnan(load(url, OPENPI).infer(seen)).all()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"protocol": "other"}, "protocol is 'other'"),
        ({"version": 2}, "speaks version 2 of lbm_policy, expected 1"),
        ({"policy": 5}, "describes its policy as 5"),
        ({"policy": {}}, "lacks accepts_prefix"),
        ({"policy": {**SERVED, "horizon": 0}}, "horizon = 0"),
        ({"policy": {**SERVED, "horizon": 10**9}}, "horizon"),
        ({"policy": {**SERVED, "n_action_steps": 6}}, "n_action_steps"),
        ({"policy": {**SERVED, "step_s": float("nan")}}, "step_s"),
        ({"policy": {**SERVED, "action_names": ["x"]}}, "action_names"),
        ({"policy": {**SERVED, "images": [{"key": "front", "height": 24}]}}, "images"),
        ({"policy": {**SERVED, "stochastic": 1}}, "stochastic"),
        ({"max_message_bytes": None}, "max_message_bytes"),
    ],
)
def test_another_protocol_version_or_description_is_refused_at_loading(load, change, named):
    with (
        websocket_server(openpi_server(lambda _: {}, {**OURS, **change})) as url,
        pytest.raises(CheckpointError) as caught,
    ):
        load(url)
    assert named in str(caught.value) and url in str(caught.value)


def test_an_openpi_server_is_no_lbm_server_and_the_other_way_round(load):
    with (
        websocket_server(openpi_server(lambda _: {}, {"config": "pi05"})) as url,
        pytest.raises(CheckpointError, match="protocol is None, expected 'lbm_policy'"),
    ):
        load(url)
    with (
        websocket_server(openpi_server(lambda _: {}, OURS)) as url,
        pytest.raises(CheckpointError, match="leave 'openpi' out"),
    ):
        load(url, OPENPI)


@pytest.mark.parametrize(
    "reply", [b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b"220 smtp ready\r\n", b""]
)
def test_what_is_no_websocket_server_is_refused(load, reply):
    def answer(client: socket.socket) -> None:
        client.recv(4096)
        client.sendall(reply)

    with tcp_server(answer) as url, pytest.raises(CheckpointError, match=r"is no|did not introduce"):
        load(url)


def hang(client: socket.socket) -> None:
    """Keep the connection until the client goes."""
    while client.recv(65536):
        pass


def test_a_server_that_accepts_and_says_nothing_is_given_up(load):
    with tcp_server(hang) as url, pytest.raises(CheckpointError, match="did not introduce itself"):
        load(url, reply_timeout_s=SHORTER_S)


def test_a_server_that_shakes_hands_and_says_nothing_is_given_up(load):
    with websocket_server(hang_on) as url, pytest.raises(CheckpointError, match="did not introduce itself"):
        load(url, reply_timeout_s=SHORTER_S)


def hang_on(client) -> None:
    for _ in client:
        pass


def test_a_server_that_trickles_its_reply_is_given_up_in_time(load, seen):
    """A reply frame of a megabyte whose bytes come one by one."""

    def handle(client) -> None:
        client.send(msgpack.packb({}))
        client.recv()
        client.socket.sendall(b"\x82\x7f" + struct.pack(">Q", 1 << 20))
        for _ in range(10_000):
            try:
                client.socket.sendall(b"x")
            except OSError:
                return
            time.sleep(0.01)

    with websocket_server(handle) as url:
        policy = load(url, OPENPI, reply_timeout_s=SHORT_S)
        began = time.monotonic()
        with pytest.raises(PolicyUnavailable, match=r"did not reply within 1 s"):
            policy.infer(seen)
        assert time.monotonic() - began < PATIENCE_S  # the trickle takes longer


def test_a_server_that_does_not_read_is_given_up(load):
    """Its socket's buffers are full: sending itself would block."""
    large = {"images": {"image": {"key": "front", "height": 3000, "width": 3000}}}
    given_up = threading.Event()

    def introduce_only(client: socket.socket) -> None:
        key = re.search(r"Sec-WebSocket-Key: (\S+)", client.recv(4096).decode())
        assert key is not None
        head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        client.sendall(f"{head}Sec-WebSocket-Accept: {accept_key(key[1])}\r\n\r\n".encode() + b"\x82\x01\x80")
        given_up.wait(PATIENCE_S)

    with tcp_server(introduce_only) as url:
        policy = load(url, {**OPENPI, **large}, reply_timeout_s=SHORT_S)
        image = np.zeros((3000, 3000, 3), np.uint8)
        with pytest.raises(PolicyUnavailable, match="did not reply within 1 s"):
            policy.infer([make_observation(images={"front": image})])
        given_up.set()


def test_a_server_that_hangs_up_mid_request_is_unavailable_and_asked_again(load, seen):
    calls = []

    def answer(_):
        calls.append(1)
        if len(calls) == 1:
            raise ConnectionAbortedError
        return {"actions": array(np.ones((5, 4)))}

    with websocket_server(openpi_server(answer)) as url:
        policy = load(url, OPENPI)
        with pytest.raises(PolicyUnavailable, match="broke during a request"):
            policy.infer(seen)
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            try:
                np.testing.assert_array_equal(policy.infer(seen), np.ones((1, 5, 4)))
                break
            except PolicyUnavailable:
                time.sleep(0.02)
        assert len(calls) == 2


def test_a_reply_above_the_limit_is_refused(load, seen):
    with websocket_server(openpi_server(lambda _: bytes(2 << 20))) as url:
        policy = load(url, OPENPI, max_message_mb=1)
        with pytest.raises(RemoteError, match="above the limit of 1048576 bytes"):
            policy.infer(seen)
