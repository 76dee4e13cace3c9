# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Who may reach the server: this machine only, unless the user says otherwise."""

from __future__ import annotations

import hmac
import os
from ipaddress import ip_address
from pathlib import Path

from lbm_policy_node.policies.remote.config import API_KEY_VARIABLE
from lbm_policy_node.policies.remote.protocol import api_key_header


class AccessError(ValueError):
    """The server must not start like this; the text says why and what to do."""


def read_api_key(file: Path | None) -> str:
    """Return the key of the file, else of LBM_API_KEY, else an empty text.

    Raises:
        AccessError: The file cannot be read, or is empty.
    """
    if file is None:
        return os.environ.get(API_KEY_VARIABLE, "").strip()
    try:
        key = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise AccessError(f"the API key file {file} cannot be read: {error}") from error
    if not key or not key.isascii():
        raise AccessError(f"the API key file {file} holds no key; expected one line of ASCII characters")
    return key


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def check_exposure(host: str, api_key: str, *, allow_unauthenticated: bool) -> str:
    """Decide whether the server may listen on an address, and return what the user should know about it.

    Raises:
        AccessError: Others could reach it, without a key and without the user's word.
    """
    if is_loopback(host):
        return ""
    if api_key:
        return (
            f"listening on {host}: the key, the images and the actions cross the network unencrypted; "
            "put a TLS proxy in front, or use an ssh tunnel, where others can listen"
        )
    if not allow_unauthenticated:
        raise AccessError(
            f"{host} can be reached from other machines and there is no API key: set {API_KEY_VARIABLE} or "
            "--api-key-file, stay on 127.0.0.1, or say --allow-unauthenticated-network"
        )
    return (
        f"WARNING: anyone who can reach {host} can use this policy, no key is asked. Whoever gets "
        "between robot and server can also make the robot move."
    )


def is_authorized(header: str | None, api_key: str) -> bool:
    """Compare a request's Authorization header with the key, in constant time."""
    if not api_key:
        return True
    expected = api_key_header(api_key)["Authorization"]
    return hmac.compare_digest((header or "").encode(), expected.encode())
