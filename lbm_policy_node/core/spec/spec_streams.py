# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The input half of a robot spec: streams, image features and the proprio layout."""

from collections.abc import Mapping
from dataclasses import dataclass

from lbm_policy_node.core.spec.spec_reader import SpecReader

IMAGE_TYPES = ("sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage")
JOINT_TYPES = ("sensor_msgs/msg/JointState",)
POSE_TYPES = ("geometry_msgs/msg/PoseStamped",)
POSE_FIELDS = ("x", "y", "z", "qx", "qy", "qz", "qw", *(f"rot6d_{i}" for i in range(6)))
QUANTITIES = ("position", "velocity", "effort")


@dataclass(frozen=True)
class StreamSpec:
    """One topic that observations are built from.

    Attributes:
        name: Name by which the rest of the spec calls it.
        topic: ROS topic.
        type: ROS message type, for example "sensor_msgs/msg/Image".
        max_age_s: Largest age of a sample (now less its header stamp) that may be used.
        frame: Frame that poses must arrive in; empty for images and joints.
    """

    name: str
    topic: str
    type: str
    max_age_s: float
    frame: str = ""

    @property
    def is_image(self) -> bool:
        """Whether samples are uint8 RGB images."""
        return self.type in IMAGE_TYPES

    @property
    def is_pose(self) -> bool:
        """Whether samples are poses."""
        return self.type in POSE_TYPES

    @property
    def max_age_ns(self) -> int:
        """The maximum age in nanoseconds."""
        return round(self.max_age_s * 1e9)


@dataclass(frozen=True)
class ImageSpec:
    """One image feature of the policy.

    Attributes:
        key: Feature key, "observation.images.front".
        stream: Name of the image stream.
        height: Rows that must arrive.
        width: Columns that must arrive.
    """

    key: str
    stream: str
    height: int
    width: int


@dataclass(frozen=True)
class Selection:
    """Numbers picked from one joint or pose stream, in order: a block of the proprio or of the feedback.

    Attributes:
        stream: Name of the stream.
        names: Name of each number in the state vector.
        fields: Pose fields (POSE_FIELDS); empty for joints.
        joints: Joint names, matched by name; empty for poses.
        quantity: "position", "velocity" or "effort" of joints.
    """

    stream: str
    names: tuple[str, ...]
    fields: tuple[str, ...] = ()
    joints: tuple[str, ...] = ()
    quantity: str = "position"

    @property
    def size(self) -> int:
        """How many numbers it yields."""
        return len(self.names)


def read_streams(reader: SpecReader, base_frame: str) -> dict[str, StreamSpec]:
    """Read the `streams` mapping; poses are expected in the base frame unless they name another `frame`."""
    streams = {}
    for name in reader.names():
        entry = reader.mapping(name)
        streams[name] = StreamSpec(
            name=name,
            topic=entry.text("topic"),
            type=(message := entry.choice("type", (*IMAGE_TYPES, *JOINT_TYPES, *POSE_TYPES))),
            max_age_s=entry.number("max_age_s", above=0.0),
            frame=entry.text("frame", base_frame) if message in POSE_TYPES else "",
        )
        entry.close()
    return streams


def read_images(reader: SpecReader, streams: Mapping[str, StreamSpec]) -> dict[str, ImageSpec]:
    """Read the `images` mapping: feature key to stream and size."""
    images = {}
    for key in reader.names():
        entry = reader.mapping(key)
        if not key.startswith("observation.images.") and key != "observation.image":
            raise reader.fail(key, "image features are called observation.images.<name>")
        stream = entry.choice("stream", [s.name for s in streams.values() if s.is_image])
        images[key] = ImageSpec(key, stream, entry.whole("height"), entry.whole("width"))
        entry.close()
    return images


def read_selection(entry: SpecReader, streams: Mapping[str, StreamSpec]) -> Selection:
    """Read one `{stream, fields | joints, field, names}` mapping."""
    stream = streams[entry.choice("stream", [s.name for s in streams.values() if not s.is_image])]
    if stream.is_pose:
        fields = entry.words("fields")
        for field in fields:
            if field not in POSE_FIELDS:
                raise entry.fail("fields", f"'{field}' is not one of {list(POSE_FIELDS)}")
        selection = Selection(stream.name, _names(entry, fields), fields=fields)
    else:
        joints, quantity = entry.words("joints"), entry.choice("field", QUANTITIES, "position")
        default = joints if quantity == "position" else tuple(f"{joint}.{quantity}" for joint in joints)
        selection = Selection(stream.name, _names(entry, default), joints=joints, quantity=quantity)
    entry.close()
    return selection


def _names(entry: SpecReader, default: tuple[str, ...]) -> tuple[str, ...]:
    names = entry.words("names", default)
    if len(names) != len(default):
        raise entry.fail("names", f"expected {len(default)} names, one per number")
    return names
