# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Records given ROS messages as an episode, the way the recorder does: serialised by rclpy, kept as bytes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rclpy.serialization import serialize_message

from lbm_policy_node.data.bags.bag_writer import BagWriter
from lbm_policy_node.data.bags.message_types import MessageTypes
from lbm_policy_node.data.episodes.episode import Episode, read_episode
from lbm_policy_node.data.episodes.episode_header import ROLES, EpisodeHeader
from lbm_policy_node.paths import shared_path

FIRST_LOG_NS = 1_000
TYPES = MessageTypes()
SPEC = shared_path("config/robots/metaworld.yaml")


def record(folder: Path, messages: Mapping[str, Sequence[Any]]) -> Episode:
    """Write an episode of the simulated robot and read it back.

    Args:
        folder: The episode's; must not exist.
        messages: Role of the episode header to its messages; they arrive 1 ns apart, from FIRST_LOG_NS on.
    """
    topics = {role: f"/robot/{role}" for role in messages}
    header = EpisodeHeader(
        episode_id=folder.name, started_at="2026-01-02T03:04:05+00:00", started_ns=FIRST_LOG_NS,
        instruction="move", robot="metaworld", roles=topics,
    )  # fmt: skip
    header.write(folder, SPEC.read_text(encoding="utf-8"))
    writer = BagWriter(folder, {topic: ROLES[role] for role, topic in topics.items()}, TYPES)
    log_ns = FIRST_LOG_NS
    for role, said in messages.items():
        for message in said:
            writer.write(topics[role], log_ns, serialize_message(message))
            log_ns += 1
    writer.close({"dropped": "0"})
    return read_episode(folder)
