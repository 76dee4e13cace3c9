# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A remote policy from its folder or a server's address; waits a little for a server that is starting."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from lbm_policy_node.policies.checkpoint.errors import CheckpointError, PolicyUnavailable
from lbm_policy_node.policies.checkpoint.files import CONFIG_FILE, file_id, read_json
from lbm_policy_node.policies.policy import DescribedPolicy
from lbm_policy_node.policies.remote.backoff import FIRST_S
from lbm_policy_node.policies.remote.config import RemoteConfig
from lbm_policy_node.policies.remote.connection import Endpoint, ServerRefusal
from lbm_policy_node.policies.remote.openpi import OpenpiPolicy
from lbm_policy_node.policies.remote.policy import RemotePolicy

T = TypeVar("T")


def load_remote(source: str | Path) -> DescribedPolicy:
    """Connect to a policy server.

    Args:
        source: The folder of a config.json of type "remote", or ws://host:port for one with its defaults.

    Raises:
        CheckpointError: The configuration is wrong, or the server is absent or refuses.
    """
    url = source if isinstance(source, str) and "://" in source else None
    file = "" if url else str(Path(source) / CONFIG_FILE)
    config = RemoteConfig(url) if url else RemoteConfig.from_dict(read_json(Path(file)), file)
    endpoint = Endpoint(config.url, config.api_key(), config.reply_timeout_s, config.max_message_mb << 20)
    try:
        return _patiently(lambda: _connect(endpoint, config, file), config.connect_timeout_s)
    except PolicyUnavailable as error:
        text = f"{error}; start one with `lbm serve --checkpoint ...`, or correct the address"
        raise CheckpointError(file, "url" if file else "", text) from error


def _connect(endpoint: Endpoint, config: RemoteConfig, file: str) -> DescribedPolicy:
    if config.openpi is not None:
        return OpenpiPolicy(endpoint, config.openpi, file_id(Path(file)))
    return RemotePolicy(endpoint, config.jpeg_quality)


def _patiently(connect: Callable[[], T], timeout_s: float) -> T:
    """Try until the time is up; a server that refuses will not change its mind."""
    deadline_s = time.monotonic() + timeout_s
    while True:
        try:
            return connect()
        except ServerRefusal:
            raise
        except PolicyUnavailable:
            if time.monotonic() >= deadline_s:
                raise
        time.sleep(FIRST_S)
