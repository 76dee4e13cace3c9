# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The output half of a robot spec: action blocks and the controllers that they go to."""

from collections.abc import Mapping
from dataclasses import dataclass

from lbm_policy_node.core.spec.spec_reader import SpecReader
from lbm_policy_node.core.spec.spec_streams import Selection, StreamSpec, read_selection

KINDS = ("joint_position", "ee_position", "ee_pose", "gripper")
TRAJECTORY = "trajectory_msgs/msg/JointTrajectory"
ARRAY = "std_msgs/msg/Float64MultiArray"
POSE = "geometry_msgs/msg/PoseStamped"
TWIST = "geometry_msgs/msg/TwistStamped"
OUTPUTS_OF_KIND = {
    "joint_position": (TRAJECTORY, ARRAY),
    "ee_position": (POSE, TWIST, ARRAY),
    "ee_pose": (POSE, TWIST, ARRAY),
    "gripper": (ARRAY, TRAJECTORY),
}
QUATERNION = "quaternion"
ROT6D = "rot6d"


@dataclass(frozen=True)
class OutputSpec:
    """Where an action block is sent.

    Attributes:
        topic: ROS topic of the controller; blocks with the same topic share one message.
        type: ROS message type.
        mode: "stream" sends one target per control tick; "chunk" sends a whole timed trajectory per chunk.
        joints: Joint names of a JointTrajectory; empty for the other types.
        frame: frame_id of PoseStamped and TwistStamped.
        orientation: Fixed orientation (quaternion, xyzw) of a PoseStamped whose block has none, else None.
    """

    topic: str
    type: str
    mode: str = "stream"
    joints: tuple[str, ...] = ()
    frame: str = ""
    orientation: tuple[float, ...] | None = None


@dataclass(frozen=True)
class ActionBlock:
    """Consecutive columns of the action that belong together.

    Attributes:
        kind: "joint_position", "ee_position" (xyz), "ee_pose" (xyz and a rotation) or "gripper".
        names: Name of each column.
        unit: Unit of the values, for users; with "m" and "rad" the leash has a default.
        start: First column.
        interpolation: "linear" or "hold" (a binary gripper switches at its row's time).
        rotation: "quaternion" (xyzw) or "rot6d" (first two columns of the matrix) in an ee_pose, else empty.
        output: The controller that it is sent to.
        feedback: Where the same quantities are measured, or None when nothing measures them.
    """

    kind: str
    names: tuple[str, ...]
    unit: str
    start: int
    interpolation: str
    rotation: str
    output: OutputSpec
    feedback: Selection | None

    @property
    def columns(self) -> slice:
        """All columns of the block."""
        return slice(self.start, self.start + len(self.names))

    @property
    def is_cartesian(self) -> bool:
        """Whether the first three columns are a position in space."""
        return self.kind in ("ee_position", "ee_pose")

    @property
    def rotation_columns(self) -> slice:
        """The columns of the rotation, empty where there is none."""
        stop = self.start + len(self.names)
        return slice(self.start + 3, stop) if self.rotation else slice(stop, stop)


@dataclass(frozen=True)
class ActionSpec:
    """The action layout.

    Attributes:
        blocks: The blocks, in column order.
        lead_s: Row 0 is due this long after the observation stamp.
    """

    blocks: tuple[ActionBlock, ...]
    lead_s: float

    @property
    def names(self) -> tuple[str, ...]:
        """Name of each column."""
        return tuple(name for block in self.blocks for name in block.names)

    @property
    def dim(self) -> int:
        """Number of columns."""
        return sum(len(block.names) for block in self.blocks)

    @property
    def lead_ns(self) -> int:
        """The lead in nanoseconds."""
        return round(self.lead_s * 1e9)

    def by_topic(self) -> dict[str, tuple[ActionBlock, ...]]:
        """Return the blocks that share each output topic, in column order."""
        topics: dict[str, tuple[ActionBlock, ...]] = {}
        for block in self.blocks:
            topics[block.output.topic] = (*topics.get(block.output.topic, ()), block)
        return topics


def read_action(reader: SpecReader, streams: Mapping[str, StreamSpec], base_frame: str) -> ActionSpec:
    """Read the `action` mapping."""
    lead_s = reader.number("lead_s", default=0.0)
    if lead_s < 0:
        raise reader.fail("lead_s", "expected 0 or more seconds")
    blocks: list[ActionBlock] = []
    for entry in reader.items("blocks"):
        start = sum(len(block.names) for block in blocks)
        blocks.append(_read_block(entry, start, streams, base_frame))
    reader.close()
    action = ActionSpec(tuple(blocks), lead_s)
    if len(set(action.names)) != action.dim:
        raise reader.fail("blocks", f"action names must differ, got {list(action.names)}")
    for topic, sharing in action.by_topic().items():
        if len({(block.output.type, block.output.mode) for block in sharing}) > 1:
            raise reader.fail("blocks", f"the blocks sent to {topic} differ in type or mode")
        if len(sharing) > 1 and sharing[0].output.type in (POSE, TWIST):
            raise reader.fail("blocks", f"only one block can be sent to {topic} as {sharing[0].output.type}")
    return action


def _read_block(
    entry: SpecReader, start: int, streams: Mapping[str, StreamSpec], base_frame: str
) -> ActionBlock:
    kind, names = entry.choice("kind", KINDS), entry.words("names")
    sizes = {"ee_position": (3,), "ee_pose": (7, 9)}.get(kind)
    if sizes and len(names) not in sizes:
        raise entry.fail(
            "names", f"an {kind} block has {' or '.join(map(str, sizes))} names, not {len(names)}"
        )
    rotation = {7: QUATERNION, 9: ROT6D}[len(names)] if kind == "ee_pose" else ""
    interpolation = (
        "linear" if kind != "gripper" else entry.choice("interpolation", ("hold", "linear"), "hold")
    )
    block = ActionBlock(
        kind=kind,
        names=names,
        unit=entry.text("unit", {"joint_position": "rad", "gripper": "normalized"}.get(kind, "m")),
        start=start,
        interpolation=interpolation,
        rotation=rotation,
        output=_read_output(entry.mapping("output"), kind, names, base_frame),
        feedback=read_selection(entry.mapping("feedback"), streams) if entry.has("feedback") else None,
    )
    if block.feedback and block.feedback.size != len(names):
        raise entry.fail("feedback", f"yields {block.feedback.size} numbers for {len(names)} action names")
    if kind != "gripper" and block.feedback is None:
        raise entry.fail(
            "feedback", f"a {kind} block must say where it is measured, else a jump cannot be refused"
        )
    entry.close()
    return block


def _read_output(reader: SpecReader, kind: str, names: tuple[str, ...], base_frame: str) -> OutputSpec:
    topic, message = reader.text("topic"), reader.choice("type", OUTPUTS_OF_KIND[kind])
    joints: tuple[str, ...] = ()
    mode, frame, orientation = "stream", "", None
    if message == TRAJECTORY:
        mode, joints = reader.choice("mode", ("stream", "chunk"), "stream"), reader.words("joints", names)
        if len(joints) != len(names):
            raise reader.fail("joints", f"expected {len(names)} joint names, one per action name")
    if message in (POSE, TWIST):
        frame = reader.text("frame", base_frame)
    if message == POSE and kind == "ee_position":
        orientation = reader.numbers("orientation", 4)
        if abs(sum(v * v for v in orientation) - 1.0) > 1e-3:
            raise reader.fail("orientation", "expected a unit quaternion, xyzw")
    reader.close()
    return OutputSpec(topic, message, mode, joints, frame, orientation)
