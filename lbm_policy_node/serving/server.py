# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A policy behind a websocket, in openpi's protocol; one inference at a time, whoever asks.

::

    event loop   connections, sizes, time-outs, keys: never blocked by the policy, so /healthz always answers
    one thread   Session.answer: decode, infer, encode
"""

from __future__ import annotations

import asyncio
import http
import logging
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode
from websockets.http11 import Request, Response

from lbm_policy_node.core.settings import setting
from lbm_policy_node.messages.packing import pack
from lbm_policy_node.policies.policy import DescribedPolicy
from lbm_policy_node.policies.remote.protocol import HEALTH_PATH, metadata
from lbm_policy_node.serving.access import is_authorized
from lbm_policy_node.serving.openpi_observation import KeyMap
from lbm_policy_node.serving.session import Session

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ServerConfig:
    """How to listen.

    Attributes:
        api_key: What clients must know; empty for none. No setting: it is read from a file or variable.
        max_message_bytes: Larger requests close their connection.
    """

    host: str = setting("127.0.0.1", "Address to listen on.")
    port: int = setting(8000, "Port to listen on; 0: a free one.", low=0, high=65_535)
    api_key: str = ""
    max_message_bytes: int = 64 << 20
    client_timeout_s: float = setting(
        20.0,
        "How slow a client may be with the handshake, from a request's first fragment to its last, with "
        "taking a reply, and with the answer to a ping.",
        unit="s",
        low=0.1,
        high=3600.0,
    )
    max_clients: int = setting(8, "Connections at the same time.", low=1, high=1000)


class PolicyServer:
    """Serves one policy until it is stopped."""

    def __init__(self, policy: DescribedPolicy, config: ServerConfig, keys: KeyMap) -> None:
        """Prepare; nothing listens yet."""
        self._policy, self._config, self._keys = policy, config, keys
        about = metadata(policy.spec, policy.describe(), config.max_message_bytes)
        self._metadata = pack({**about, "openpi_keys": keys.keys})
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="inference")
        self._n_clients = 0

    def run(self, on_ready: Callable[[str], None]) -> None:
        """Serve until SIGINT or SIGTERM; ``on_ready`` gets the address once clients can connect."""
        asyncio.run(self._run(on_ready))

    async def _run(self, on_ready: Callable[[str], None]) -> None:
        config, stop = self._config, asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        async with serve(
            self._serve_client,
            config.host,
            config.port,
            compression=None,
            max_size=config.max_message_bytes,
            max_queue=1,
            origins=[None],  # a web page in a browser is no client
            process_request=self._admit,
            open_timeout=config.client_timeout_s,
            ping_interval=config.client_timeout_s,  # a client that stalls within a frame cannot answer a ping
            ping_timeout=config.client_timeout_s,
            close_timeout=1.0,
        ) as server:
            on_ready(_address(server, config.host))
            await stop.wait()
        self._worker.shutdown(wait=False, cancel_futures=True)

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """Answer what is not for the policy; None lets the client in."""
        if request.path == HEALTH_PATH:
            return connection.respond(http.HTTPStatus.OK, "OK\n")
        if not is_authorized(request.headers.get("Authorization"), self._config.api_key):
            return connection.respond(http.HTTPStatus.UNAUTHORIZED, "wrong or missing API key\n")
        if self._n_clients >= self._config.max_clients:
            return connection.respond(http.HTTPStatus.SERVICE_UNAVAILABLE, "too many clients\n")
        return None

    async def _serve_client(self, client: ServerConnection) -> None:
        name = f"{client.remote_address}"
        self._n_clients += 1
        logger.info("%s connected", name)
        try:
            await client.send(self._metadata)
            await self._answer_requests(client)
        except (asyncio.TimeoutError, TimeoutError):
            logger.warning("%s is too slow and was dropped", name)
            await client.close(CloseCode.POLICY_VIOLATION, "too slow")
        except ConnectionClosed as error:
            logger.info("%s left: %s", name, error)
        finally:
            self._n_clients -= 1

    async def _answer_requests(self, client: ServerConnection) -> None:
        session, loop = Session(self._policy, self._keys), asyncio.get_running_loop()
        while True:
            request = await self._receive(client)
            began = time.perf_counter()
            reply = await loop.run_in_executor(self._worker, session.answer, request)
            if isinstance(reply, str):
                logger.warning("error sent to %s: %s", client.remote_address, reply)
            await asyncio.wait_for(client.send(reply), self._config.client_timeout_s)
            session.previous_total_ms = (time.perf_counter() - began) * 1e3

    async def _receive(self, client: ServerConnection) -> bytes | str:
        """Wait for a request as long as the client likes, but for its remaining fragments only so long."""
        fragments = client.recv_streaming()
        first = await anext(fragments)

        async def rest() -> list[bytes | str]:
            return [fragment async for fragment in fragments]

        parts = [first, *await asyncio.wait_for(rest(), self._config.client_timeout_s)]
        if isinstance(first, str):
            return "".join(part for part in parts if isinstance(part, str))
        return b"".join(part for part in parts if isinstance(part, bytes))


def _address(server: Server, host: str) -> str:
    port = next(iter(server.sockets)).getsockname()[1]
    return f"ws://[{host}]:{port}" if ":" in host else f"ws://{host}:{port}"
