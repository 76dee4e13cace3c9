# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Servers that speak openpi's protocol as its documentation tells it, well or badly, on loopback.

Written without our own packing, so that an error in it cannot hide here: msgpack maps, an array as
{b"__ndarray__": True, b"data": ..., b"dtype": ..., b"shape": ...}.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import msgpack
import numpy as np
from websockets.sync.server import ServerConnection, serve

Handler = Callable[[ServerConnection], None]


def array(values: Any, dtype: str = "<f8") -> dict[bytes, Any]:
    """An array as the wire has it."""
    data = np.asarray(values, dtype)
    return {b"__ndarray__": True, b"data": data.tobytes(), b"dtype": dtype, b"shape": list(data.shape)}


def values_of(entry: dict[bytes, Any]) -> np.ndarray[Any, Any]:
    """The array of such a map."""
    return np.frombuffer(entry[b"data"], entry[b"dtype"]).reshape(entry[b"shape"])


def packed(value: Any) -> bytes:
    """A message as the wire has it."""
    data = msgpack.packb(value)
    assert data is not None  # msgpack's stub thinks of a buffer that is drained by hand
    return data


@contextlib.contextmanager
def websocket_server(handler: Handler) -> Iterator[str]:
    """Run a server in a thread; yields its address."""
    with serve(handler, "127.0.0.1", 0, compression=None, max_size=None) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}"
        server.shutdown()
        thread.join(10.0)


@contextlib.contextmanager
def tcp_server(handler: Callable[[socket.socket], None]) -> Iterator[str]:
    """Run a bare TCP server for one connection after the other; yields an address for websockets."""
    listener = socket.create_server(("127.0.0.1", 0))

    def work() -> None:
        with contextlib.suppress(OSError):  # of accept, when the listener is closed, and of a client gone
            while True:
                with listener.accept()[0] as client:
                    handler(client)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    yield f"ws://127.0.0.1:{listener.getsockname()[1]}"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(10.0)


def openpi_server(answer: Callable[[dict[str, Any]], Any], metadata: Any = None) -> Handler:
    """Answer each observation: a map is packed, bytes and text are sent as they are."""

    def handle(client: ServerConnection) -> None:
        client.send(packed(metadata or {}))
        for message in client:
            reply = answer(msgpack.unpackb(message))
            client.send(reply if isinstance(reply, (bytes, str)) else packed(reply))

    return handle
