# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The kind "remote": a policy that runs in a server."""

from __future__ import annotations

from pathlib import Path

from lbm_policy_node.policies.checkpoint.errors import CheckpointError
from lbm_policy_node.policies.kind import PolicyKind
from lbm_policy_node.policies.policy import DescribedPolicy


def connect(source: str | Path) -> DescribedPolicy:
    """Connect to a policy server.

    Args:
        source: The folder of a config.json of type "remote", or the server's address, ws://host:port.

    Raises:
        CheckpointError: The configuration is wrong, or the server is absent or refuses.
    """
    try:
        from lbm_policy_node.policies.remote.load import load_remote
    except ImportError as error:
        text = f"a remote policy needs other Python packages ({error}); pip install -r requirements/base.txt"
        raise CheckpointError(source, "", text) from error
    return load_remote(source)


POLICY_KIND = PolicyKind(load=lambda asked: connect(asked.directory))
