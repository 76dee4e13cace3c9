# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""`lbm serve` through real sockets: keys, sizes, slow and strange clients, and the others do not suffer."""

import os
import signal
import socket
import struct
import subprocess
import sys
import urllib.error
import urllib.request
from typing import Any

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from helpers.serve_process import ServeProcess
from lbm_policy_node.messages.packing import pack, unpack

pytestmark = pytest.mark.slow

PATIENCE_S = 20.0


def health(server: ServeProcess) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/healthz", timeout=PATIENCE_S) as reply:
        return reply.read().decode()


def observation() -> dict[str, object]:
    image = np.zeros((128, 128, 3), np.uint8)
    return {"images": {"front": image, "wrist": image}, "state": np.zeros(4, np.float32), "prompt": "go"}


def ask(client, request=None) -> object:
    client.send(pack(request or observation()))
    reply = client.recv(PATIENCE_S)
    return reply if isinstance(reply, str) else unpack(reply)


def introduction(client) -> dict[str, Any]:
    """The metadata of a connection that has just been opened."""
    return unpack(client.recv(PATIENCE_S))


def test_metadata_describe_the_policy_in_plain_types(server):
    with connect(server.url, compression=None) as client:
        about = introduction(client)
    assert (about["protocol"], about["version"]) == ("lbm_policy", 1)
    policy = about["policy"]
    assert policy["kind"] == "weightless" and len(policy["checkpoint_id"]) == 16
    assert [image["key"] for image in policy["images"]] == [
        "observation.images.front",
        "observation.images.wrist",
    ]
    assert policy["action_names"] == ["x", "y", "z", "gripper"] and policy["step_s"] == 0.05
    assert "observation/image" in about["openpi_keys"]["observation.images.front"]


def test_health_needs_no_websocket_and_no_key(weightless):
    with ServeProcess(weightless, LBM_API_KEY="secret") as server:
        assert health(server) == "OK\n"
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"http://127.0.0.1:{server.port}/", timeout=PATIENCE_S)
        assert caught.value.code == 401


def test_only_the_right_key_is_let_in(weightless, tmp_path):
    (tmp_path / "key").write_text("secret\n")
    with ServeProcess(weightless, "--api-key-file", str(tmp_path / "key")) as server:
        for header in ({}, {"Authorization": "Api-Key wrong"}):
            with pytest.raises(InvalidStatus, match="401"):
                connect(server.url, additional_headers=header)
        with connect(server.url, additional_headers={"Authorization": "Api-Key secret"}) as client:
            assert introduction(client)["protocol"] == "lbm_policy"


def test_a_web_page_is_no_client(server):
    with pytest.raises(InvalidStatus, match="403"):
        connect(server.url, origin=Origin("https://evil.example"))


def test_an_error_is_a_text_and_the_connection_goes_on(server):
    with connect(server.url, compression=None) as client:
        client.recv(PATIENCE_S)
        assert "'observation.state' is missing" in str(ask(client, {"prompt": "go"}))
        objects = {b"__ndarray__": True, b"data": bytes(8), b"dtype": "|O", b"shape": [1]}
        assert "array type '|O' is refused" in str(ask(client, {**observation(), "state": objects}))
        client.send("text")
        assert "text frame" in str(client.recv(PATIENCE_S))
        reply = ask(client)
        assert isinstance(reply, dict) and reply["actions"].shape == (16, 4)
        assert reply["server_timing"]["prev_total_ms"] > 0


def test_a_message_above_the_limit_ends_only_its_connection(weightless):
    with ServeProcess(weightless, "--max-message-mb", "1") as server, connect(server.url) as other:
        other.recv(PATIENCE_S)
        with connect(server.url, compression=None) as client:
            client.recv(PATIENCE_S)
            with pytest.raises((ConnectionClosed, OSError)):
                client.send(pack({"image": np.zeros((3000, 3000), np.uint8)}))
                client.recv(PATIENCE_S)
        assert isinstance(ask(other), dict)


def upgrade(server: ServeProcess) -> socket.socket:
    """Open a websocket by hand."""
    raw = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_S)
    raw.sendall(
        b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    assert b"101" in raw.recv(100)
    return raw


def masked(opcode: int, length: int, data: bytes) -> bytes:
    """A client's frame that announces so many bytes and brings these, under a mask of zeros."""
    return bytes([opcode, 0xFF]) + struct.pack(">Q", length) + bytes(4) + data


def stays(raw: socket.socket, trickle: bytes) -> bool:
    """Send something; whether the server has not hung up."""
    raw.settimeout(0.05)
    try:
        raw.sendall(trickle)
        return raw.recv(65536) != b""
    except TimeoutError:
        return True
    except OSError:
        return False


def survivors(clients: dict[str, tuple[socket.socket, bytes]]) -> set[str]:
    """Whom the server does not hang up on, sooner or later, while they keep sending what is beside them."""
    left = set(clients)
    for _ in range(int(PATIENCE_S / 0.05)):
        left = {name for name in left if stays(*clients[name])}
        if not left:
            break
    return left


def test_slow_clients_are_dropped_and_others_are_served(weightless):
    with (
        ServeProcess(weightless, "--client-timeout-s", "2") as server,
        connect(server.url) as other,
        socket.create_connection(("127.0.0.1", server.port)) as silent,
        upgrade(server) as endless_frame,
        upgrade(server) as endless_fragments,
    ):
        other.recv(PATIENCE_S)
        endless_frame.sendall(masked(0x82, 1000, b"half"))
        endless_fragments.sendall(masked(0x02, 4, b"half"))
        endless_fragments.sendall(masked(0x80, 1 << 20, b""))
        assert isinstance(ask(other), dict)
        clients = {
            "no handshake": (silent, b"G"),
            "one frame": (endless_frame, b"x"),
            "a first fragment": (endless_fragments, b"x"),
        }
        assert survivors(clients) == set()
        assert isinstance(ask(other), dict)


def test_more_clients_than_allowed_are_turned_away(weightless):
    with ServeProcess(weightless, "--max-clients", "1") as server, connect(server.url) as first:
        first.recv(PATIENCE_S)
        with pytest.raises(InvalidStatus, match="503"):
            connect(server.url)
        assert isinstance(ask(first), dict)


def test_it_ends_when_it_is_reported_to(weightless):
    with ServeProcess(weightless) as server, connect(server.url) as client:
        client.recv(PATIENCE_S)
        server.end(signal.SIGTERM)
        assert server.exit_status == 0
        with pytest.raises(ConnectionClosed):
            client.recv(PATIENCE_S)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--host", "0.0.0.0"), "--allow-unauthenticated-network"),
        (("--api-key-file", "/nowhere/key"), "/nowhere/key"),
        (("--map", "top"), "expected KEY=INPUT"),
        (("--map", "top=observation.images.top"), "observation.images.top"),
        (("--lerobot", "."), "either --checkpoint or --lerobot"),
    ],
)
def test_it_does_not_start_on_doubtful_terms(weightless, arguments, named):
    with pytest.raises(RuntimeError, match="lbm serve said ''") as caught:
        ServeProcess(weightless, *arguments)
    assert named in str(caught.value)


def test_the_network_without_a_key_needs_a_flag_and_gets_a_warning(weightless):
    with ServeProcess(weightless, "--host", "0.0.0.0", "--allow-unauthenticated-network") as server:
        assert "anyone who can reach 0.0.0.0" in server.end(signal.SIGINT)


def test_the_server_imports_no_ros_and_without_weights_no_torch(weightless):
    program = (
        "import sys\nfor name in ('rclpy', 'lbm_msgs', 'torch', 'yaml'): sys.modules[name] = None\n"
        "from lbm_policy_node.cli.main import main\nmain(sys.argv[1:])\n"
    )
    command = [sys.executable, "-c", program, "serve", "--checkpoint", str(weightless), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=dict(os.environ), text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("serving on ws://127.0.0.1:")
        process.terminate()


def test_lerobot_is_named_when_it_is_absent(tmp_path):
    from lbm_policy_node.policies.checkpoint.errors import CheckpointError
    from lbm_policy_node.serving.lerobot_policy import load_lerobot

    with pytest.raises(CheckpointError, match="needs LeRobot in the environment"):
        load_lerobot(tmp_path, "cpu")
