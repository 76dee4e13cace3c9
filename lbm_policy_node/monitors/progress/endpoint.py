# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""One request to an HTTP endpoint, with a time limit and a size limit that hold whatever the server does."""

from __future__ import annotations

import http.client
import json
import os
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import SplitResult, urlsplit

from lbm_policy_node.monitors.progress.prompt import excerpt

CHUNK_BYTES = 16384


class EndpointError(Exception):
    """The endpoint gave no usable answer; the text says why and never holds the key."""


class JsonEndpoint:
    """Posts JSON to one fixed address over http or https.

    Redirects are not followed and proxies from the environment are not used: what is sent goes to the
    configured host and nowhere else. https certificates are verified. `abort` may be called from another
    thread than `post`.
    """

    def __init__(self, url: str, *, key_variable: str = "", timeout_s: float, max_reply_bytes: int) -> None:
        """Check the address and read the key; nothing is sent.

        Args:
            url: Whole address, http or https.
            key_variable: Environment variable that holds the bearer key; empty: no key is sent.
            timeout_s: For connecting, and again for the whole exchange after that.
            max_reply_bytes: A longer reply is refused.

        Raises:
            ValueError: An address that is not plain http(s), or a key that is missing or malformed.
        """
        parts = check_url(url)
        self._secure, self._host, self._port = parts.scheme == "https", parts.hostname or "", parts.port
        self._path = parts.path or "/"
        self._key = read_key(key_variable)
        self._timeout_s, self._max_bytes = timeout_s, max_reply_bytes
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._aborted = False

    def post(self, body: Mapping[str, Any]) -> Any:
        """Send a JSON object and return the JSON of the reply.

        Raises:
            EndpointError: Unreachable, too slow, refused, too long, or no JSON.
        """
        status, reason, reply = self._exchange(json.dumps(body).encode())
        if len(reply) > self._max_bytes:
            raise EndpointError(f"the reply is longer than {self._max_bytes} bytes")
        text = self._clean(reply.decode("utf-8", errors="replace"))
        if 300 <= status < 400:
            raise EndpointError(f"HTTP {status}: a redirect, which is not followed")
        if status != http.HTTPStatus.OK:
            raise EndpointError(f"HTTP {status} {self._clean(reason)}: {excerpt(text)}")
        try:
            return json.loads(text)
        except (json.JSONDecodeError, RecursionError) as error:
            raise EndpointError(f"the reply is no JSON: {excerpt(text)}") from error

    def abort(self) -> None:
        """End the exchange in progress, and refuse later ones."""
        with self._lock:
            self._aborted = True
            _shut(self._socket)

    def _exchange(self, body: bytes) -> tuple[int, str, bytes]:
        """Status, reason and body of the reply."""
        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        connection = kind(self._host, self._port, timeout=self._timeout_s)
        try:
            connection.connect()
            with self._time_limit(connection.sock):
                connection.request("POST", self._path, body, self._headers())
                response = connection.getresponse()
                return response.status, response.reason, self._read(response)
        except TimeoutError as error:
            raise EndpointError(f"no reply within {self._timeout_s:g} s") from error
        except (OSError, http.client.HTTPException) as error:
            raise EndpointError(f"{type(error).__name__}: {self._clean(excerpt(str(error)))}") from error
        finally:
            connection.close()

    @contextmanager
    def _time_limit(self, sock: socket.socket) -> Iterator[None]:
        """Shut the socket when the time is up: a socket's own time-out starts over with every byte.

        Raises:
            TimeoutError: In place of whatever the shut socket led to, which may look like a short reply.
            EndpointError: The endpoint was closed.
        """
        expired = threading.Event()

        def expire() -> None:
            expired.set()
            _shut(sock)

        self._hold(sock)
        timer = threading.Timer(self._timeout_s, expire)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            self._hold(None)
            if expired.is_set():
                raise TimeoutError

    def _hold(self, sock: socket.socket | None) -> None:
        """Remember the socket for `abort`."""
        with self._lock:
            if self._aborted and sock is not None:
                raise EndpointError("the detector was closed")
            self._socket = sock

    def _read(self, response: http.client.HTTPResponse) -> bytes:
        reply = bytearray()
        while len(reply) <= self._max_bytes and (part := response.read1(CHUNK_BYTES)):
            reply += part
        return bytes(reply)

    def _headers(self) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        return {**headers, "Authorization": f"Bearer {self._key}"} if self._key else headers

    def _clean(self, text: str) -> str:
        """Without the key, which some servers repeat."""
        return text.replace(self._key, "***") if self._key else text


def check_url(url: str) -> SplitResult:
    """Take an address apart.

    Raises:
        ValueError: It is not http or https, has no host, or carries a password, a query or a fragment.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"the endpoint {url!r} must be http://HOST... or https://HOST...")
    if parts.username is not None or parts.password is not None:
        raise ValueError(f"the endpoint at {parts.hostname} must not carry a user name or password")
    if parts.query or parts.fragment or not url.isascii() or any(c.isspace() for c in url):
        raise ValueError(f"the endpoint {url!r} must be a plain address without query, fragment or spaces")
    try:
        parts.port  # noqa: B018 - reading it checks it
    except ValueError as error:
        raise ValueError(f"the endpoint {url!r} has an impossible port: {error}") from error
    return parts


def read_key(variable: str) -> str:
    """The key in an environment variable; empty where no variable is named.

    Raises:
        ValueError: The variable is not set, or holds what no header can carry; the value is not shown.
    """
    if not variable:
        return ""
    key = os.environ.get(variable, "")
    if not key:
        raise ValueError(f"the environment variable {variable}, which should hold the key, is not set")
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise ValueError(f"the key in {variable} holds spaces or characters that no HTTP header may carry")
    return key


def _shut(sock: socket.socket | None) -> None:
    """Wake whoever waits on a socket; it stays theirs to close."""
    if sock is not None:
        with suppress(OSError):  # it has ended already
            # Not the TLS object's method, which would pull the session away under the waiting thread.
            socket.socket.shutdown(sock, socket.SHUT_RDWR)
