# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What the publishers of a topic offer, as rosbag2 keeps it and `ros2 bag play` offers it again."""

from typing import Any

import yaml
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.qos import QoSProfile


def offered_qos(node: Node, topic: str) -> str:
    """Return YAML of a list with a profile for each publisher; an empty text when there is none now."""
    found = [_profile(info.qos_profile) for info in node.get_publishers_info_by_topic(topic)]
    return yaml.safe_dump(found, sort_keys=False) if found else ""


def _profile(profile: QoSProfile) -> dict[str, Any]:
    """Fields and words of rosbag2's version 9 (rosbag2_storage, qos.cpp)."""
    return {
        "history": profile.history.name.lower(),
        "depth": profile.depth,
        "reliability": profile.reliability.name.lower(),
        "durability": profile.durability.name.lower(),
        "deadline": _time(profile.deadline),
        "lifespan": _time(profile.lifespan),
        "liveliness": profile.liveliness.name.lower(),
        "liveliness_lease_duration": _time(profile.liveliness_lease_duration),
        "avoid_ros_namespace_conventions": profile.avoid_ros_namespace_conventions,
    }


def _time(duration: Duration) -> dict[str, int]:
    sec, nsec = divmod(duration.nanoseconds, 1_000_000_000)
    return {"sec": sec, "nsec": nsec}
