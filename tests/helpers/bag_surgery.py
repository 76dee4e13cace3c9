# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Changes recorded episodes message by message: later arrivals, other stamps, losses."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from lbm_policy_node.data.bags.bag_writer import BagWriter
from lbm_policy_node.data.bags.bags import Bag
from lbm_policy_node.data.bags.message_types import MessageTypes

Change = Callable[[str, int, Any], int | None]
"""Topic, time of arrival and message to the new time of arrival; None loses the message."""


def rewritten(path: Path, change: Change, *, dropped: int = 0) -> Path:
    """Rewrite an episode in place; the messages may be changed too."""
    types = MessageTypes()
    with Bag(path) as bag:
        kinds = dict(bag.types)
        messages = [(change(m.topic, m.log_ns, m.value), m.topic, m.value) for m in bag.messages()]
    kept = sorted(((ns, topic, value) for ns, topic, value in messages if ns is not None), key=lambda m: m[0])
    (path / f"{path.name}.mcap").unlink()
    (path / "metadata.yaml").unlink()
    writer = BagWriter(path, kinds, types)
    for ns, topic, value in kept:
        writer.write(topic, ns, types.serialize(value, kinds[topic]))
    writer.close({"dropped": str(dropped)})
    return path
