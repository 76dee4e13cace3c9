# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""One connection to a policy server: opened when needed, dropped at any doubt, never waited for for ever."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, WebSocketException
from websockets.protocol import State
from websockets.sync.client import ClientConnection, connect

from lbm_policy_node.messages.packing import PackingError, unpack
from lbm_policy_node.policies.checkpoint.errors import PolicyUnavailable
from lbm_policy_node.policies.remote.backoff import BackOff
from lbm_policy_node.policies.remote.protocol import ProtocolError, api_key_header

logger = logging.getLogger(__name__)

TOO_BIG = 1009
"""Close code of a message above the receiver's limit (RFC 6455, section 7.4.1)."""
CLOSE_TIMEOUT_S = 0.5
REFUSALS = {
    401: "refuses the API key, or requires one",
    403: "refuses this client",
    503: "serves as many clients as it may",
}


class ServerRefusal(PolicyUnavailable):
    """The server is there, but refuses this client until its settings or the client's are changed."""


class RemoteError(RuntimeError):
    """The server answered that it cannot answer this request."""


@dataclass(frozen=True)
class Endpoint:
    """Where a server is, and what it may cost to talk to it.

    Attributes:
        url: Of the websocket.
        api_key: Empty for a server without.
        timeout_s: For opening a connection, and for each exchange.
        max_bytes: Of a reply.
    """

    url: str
    api_key: str
    timeout_s: float
    max_bytes: int


class Connection:
    """Exchanges messages with a server. One thread at a time may call it; ``close`` is for any thread."""

    def __init__(
        self, endpoint: Endpoint, accept: Callable[[Any], None], backoff: BackOff | None = None
    ) -> None:
        """Prepare; nothing is opened yet.

        Args:
            endpoint: Where to connect to.
            accept: Called with the server's metadata after each connecting; raises ProtocolError to refuse.
            backoff: Says when to try again.
        """
        self._endpoint, self._accept, self._backoff = endpoint, accept, backoff or BackOff()
        self._socket: ClientConnection | None = None
        self._closed = False

    def open(self) -> ClientConnection:
        """Connect, unless that is done, and return the open socket.

        Raises:
            PolicyUnavailable: There is no usable server, or it is too early to try again.
        """
        if self._closed:
            raise PolicyUnavailable(f"the connection to {self._endpoint.url} was closed")
        ws = self._socket  # another thread may close and forget it at any time
        if ws is not None and ws.state is State.OPEN:
            return ws
        self._drop()
        wait_s = self._backoff.remaining_s()
        if wait_s > 0.0:
            raise PolicyUnavailable(f"{self._endpoint.url} was not reached; next attempt in {wait_s:.1f} s")
        try:
            return self._connect()
        except PolicyUnavailable:
            self._fail()
            raise

    def exchange(self, message: bytes) -> Any:
        """Send a request and return its reply, unpacked.

        Raises:
            PolicyUnavailable: There is no connection, it broke, or the reply did not come in time.
            RemoteError: The server says that it cannot answer, or a message is above a size limit.
            ProtocolError: The reply is no message of this protocol.
        """
        ws = self.open()
        try:
            with self._deadline(ws):
                ws.send(message)
                reply = ws.recv(self._endpoint.timeout_s)
        except (TimeoutError, ConnectionClosed, OSError) as error:
            self._fail()
            raise self._broken(error, len(message)) from error
        self._backoff.succeed()
        if isinstance(reply, str):
            logger.warning("%s: %s", self._endpoint.url, reply)
            # openpi's server sends a whole traceback, whose last line says what happened
            last = reply.strip().rpartition("\n")[2]
            raise RemoteError(f"{self._endpoint.url}: {last or 'an error without a reason'}")
        return self._unpacked(reply)

    def close(self) -> None:
        """End the connection for good; an exchange in another thread ends at once."""
        self._closed = True
        ws = self._socket
        if ws is not None:
            _shut(ws)
        self._drop()

    def _connect(self) -> ClientConnection:
        endpoint = self._endpoint
        try:
            ws = self._socket = connect(
                endpoint.url,
                additional_headers=api_key_header(endpoint.api_key),
                compression=None,
                proxy=None,  # a robot's server is in its own network
                open_timeout=endpoint.timeout_s,
                close_timeout=CLOSE_TIMEOUT_S,
                # Each exchange has its own deadline, and openpi's server answers no ping while it infers.
                ping_interval=None,
                max_size=endpoint.max_bytes,
            )
            with self._deadline(ws):
                announced = ws.recv(endpoint.timeout_s)
        except InvalidStatus as error:
            status = error.response.status_code
            raise ServerRefusal(
                f"{endpoint.url} {REFUSALS.get(status, 'is no policy server')} ({status})"
            ) from error
        except (TimeoutError, ConnectionClosed) as error:
            raise PolicyUnavailable(f"{endpoint.url} did not introduce itself: {_what(error)}") from error
        except (InvalidHandshake, WebSocketException) as error:
            raise ServerRefusal(f"{endpoint.url} is no websocket server: {_what(error)}") from error
        except OSError as error:
            raise PolicyUnavailable(f"{endpoint.url} cannot be reached: {_what(error)}") from error
        self._introduce(announced)
        if self._closed:  # by another thread, meanwhile
            raise PolicyUnavailable(f"the connection to {endpoint.url} was closed")
        return ws

    def _introduce(self, announced: Any) -> None:
        try:
            if isinstance(announced, str):
                raise ProtocolError(f"the server introduced itself with a text: {announced.strip()}")
            self._accept(self._unpacked(announced))
        except ProtocolError as error:
            raise ServerRefusal(f"{self._endpoint.url}: {error}") from error

    def _unpacked(self, data: bytes) -> Any:
        try:
            return unpack(data)
        except PackingError as error:
            self._drop()
            raise ProtocolError(f"the message of {self._endpoint.url} {error}") from error

    def _broken(self, error: Exception, size: int) -> Exception:
        """Turn what the socket says into what the user should know."""
        url = self._endpoint.url
        if isinstance(error, ConnectionClosed):
            if error.rcvd is not None and error.rcvd.code == TOO_BIG:
                return RemoteError(
                    f"the request of {size} bytes is above the limit of {url} ({error.rcvd.reason})"
                )
            if error.sent is not None and error.sent.code == TOO_BIG:
                return RemoteError(
                    f"the reply of {url} is above the limit of {self._endpoint.max_bytes} bytes"
                )
        if isinstance(error, TimeoutError):
            return PolicyUnavailable(f"{url} did not reply within {self._endpoint.timeout_s:g} s")
        return PolicyUnavailable(f"the connection to {url} broke during a request: {_what(error)}")

    @contextlib.contextmanager
    def _deadline(self, ws: ClientConnection) -> Iterator[None]:
        """Shut the socket when the time is up, whatever it is doing: sending has no time-out of its own."""
        expired = threading.Event()

        def expire() -> None:
            expired.set()
            _shut(ws)

        timer = threading.Timer(1.05 * self._endpoint.timeout_s, expire)  # receiving has its own time-out
        timer.daemon = True
        timer.start()
        try:
            yield
        except (ConnectionClosed, OSError) as error:
            if expired.is_set():
                raise TimeoutError(str(error)) from error
            raise
        finally:
            timer.cancel()

    def _fail(self) -> None:
        self._drop()
        self._backoff.fail()

    def _drop(self) -> None:
        ws, self._socket = self._socket, None
        if ws is not None:
            ws.close()


def _shut(ws: ClientConnection) -> None:
    with contextlib.suppress(OSError):  # it may be closed already, which is as good
        ws.socket.shutdown(socket.SHUT_RDWR)


def _what(error: BaseException) -> str:
    return str(error) or type(error).__name__
