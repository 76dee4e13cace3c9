# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What the recorder listens to: the robot spec's topics and the graph's own."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from rclpy.qos import QoSProfile

from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.data.episodes.episode_header import ROLES

from .. import qos, topics

NAME_OF_ROLE: Final = {
    "action_chunks": topics.ACTION_CHUNKS,
    "monitor_verdicts": topics.MONITOR_VERDICTS,
    "control_state": topics.CONTROL_STATE,
    "policy_status": topics.POLICY_STATUS,
    "episode_events": topics.EPISODE_EVENTS,
}
"""Each key of episode_header.ROLES."""
PROFILE_OF_ROLE: Final = dict.fromkeys(ROLES, qos.RECORDED) | {"policy_status": qos.RECORDED_STATUS}


@dataclass(frozen=True)
class RecordedTopic:
    """One topic.

    Attributes:
        name: As it is called in the bag.
        type: ROS message type, "sensor_msgs/msg/Image".
        profile: How it is subscribed.
        role: Key of episode_header.ROLES; empty for a topic of the spec.
        is_stream: Whether observations are built from it, so that its absence is worth a warning.
    """

    name: str
    type: str
    profile: QoSProfile
    role: str = ""
    is_stream: bool = False


def recorded_topics(robot: RobotSpec, resolve: Callable[[str], str]) -> list[RecordedTopic]:
    """Return each topic once.

    Args:
        robot: Whose streams, teleop sources and controllers.
        resolve: Turns a relative name of the graph into an absolute one.
    """
    streams = [
        RecordedTopic(stream.topic, stream.type, profile, is_stream=True)
        for stream in robot.streams.values()
        for profile in [qos.RECORDED_CAMERA if stream.is_image else qos.RECORDED_STREAM]
    ]
    operator = [
        RecordedTopic(topic, kind, qos.RECORDED_STREAM)
        for source in robot.teleop
        for topic, kind in ((source.topic, source.type), (source.dead_man.topic, source.dead_man.type))
    ]
    commands = [
        RecordedTopic(topic, blocks[0].output.type, qos.RECORDED)
        for topic, blocks in robot.action.by_topic().items()
    ]
    graph = [
        RecordedTopic(resolve(NAME_OF_ROLE[role]), kind, PROFILE_OF_ROLE[role], role)
        for role, kind in ROLES.items()
    ]
    once: dict[str, RecordedTopic] = {}
    for topic in (*graph, *streams, *operator, *commands):
        once.setdefault(topic.name, topic)
    return list(once.values())
