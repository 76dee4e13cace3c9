# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The keys of a robot spec: where each one stands in the YAML file, and which dataclass holds its value.

Types, units and meanings come from the dataclasses. What they cannot say is said here: the defaults, which
the reader applies, and the words of fixed lists. tests/project/test_robot_spec_page.py compares both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.spec.spec_actions import KINDS, OUTPUTS_OF_KIND, ActionBlock, ActionSpec, OutputSpec
from lbm_policy_node.core.spec.spec_limits import LEASH_M, LEASH_RAD, LimitsSpec, RotationLimits
from lbm_policy_node.core.spec.spec_streams import (
    IMAGE_TYPES,
    JOINT_TYPES,
    POSE_FIELDS,
    POSE_TYPES,
    QUANTITIES,
    ImageSpec,
    Selection,
    StreamSpec,
)
from lbm_policy_node.core.spec.spec_teleop import TYPES_OF_KIND
from lbm_policy_node.core.spec.teleop_sources import (
    BUTTONS,
    TWIST_COMPONENTS,
    AxisSpec,
    DeadManSpec,
    GripperButtons,
    JoySource,
    LeaderSource,
    PoseSource,
    TeleopSource,
    TwistSource,
)

REQUIRED = "required"
OUTPUT_TYPES = tuple(dict.fromkeys(name for types in OUTPUTS_OF_KIND.values() for name in types))


@dataclass(frozen=True)
class Words:
    """A default that depends on other keys, said in words."""

    text: str


@dataclass(frozen=True)
class Key:
    """What the dataclass does not say about one key.

    Attributes:
        default: REQUIRED, the value that the reader takes when the key is missing, or Words.
        choices: The allowed words, where the list is fixed.
        kind: Type of the value, where the annotation of the attribute does not say it.
        unit: Unit, where the name of the key does not end with it.
        attribute: Attribute that holds the value; empty where it has the name of the key.
        meaning: Instead of the docstring's sentence.
        note: A sentence after the docstring's.
    """

    default: Any = REQUIRED
    choices: tuple[str, ...] = ()
    kind: str = ""
    unit: str = ""
    attribute: str = ""
    meaning: str = ""
    note: str = ""


@dataclass(frozen=True)
class Section:
    """One mapping of the YAML file.

    Attributes:
        path: Where it stands; `<name>` is a key of your choice, `[]` an entry of a list.
        value: The dataclass that it becomes.
        keys: By name, in the order of the page.
        derived: Attributes that no key sets.
        text: What it is for.
        when: "kind: joy" where this part of the mapping belongs to one kind of source.
    """

    path: str
    value: type
    keys: Mapping[str, Key]
    derived: tuple[str, ...] = ()
    text: str = ""
    when: str = field(default="", kw_only=True)


JUMP = "A larger step is not followed."


def _by_kind(types: Mapping[str, tuple[str, ...]]) -> str:
    """List the short message types of each kind."""
    return "; ".join(f"`{kind}`: {', '.join(t.split('/')[-1] for t in types[kind])}" for kind in types)


SECTIONS = (
    Section(
        "",
        RobotSpec,
        {
            "name": Key(),
            "step_s": Key(note="It must be that of the training data."),
            "control_rate_hz": Key(),
            "base_frame": Key(),
            "max_skew_s": Key(),
            "streams": Key(kind="mapping"),
            "images": Key(kind="mapping"),
            "state": Key(kind="list of mappings"),
            "action": Key(kind="mapping"),
            "limits": Key(kind="mapping"),
            "teleop": Key((), kind="list of mappings"),
        },
        ("file",),
        "A key that is not on this page is refused, with the file and the keys that are known there.",
    ),
    Section(
        "streams.<name>",
        StreamSpec,
        {
            "topic": Key(),
            "type": Key(choices=(*IMAGE_TYPES, *JOINT_TYPES, *POSE_TYPES)),
            "max_age_s": Key(),
            "frame": Key(Words("`base_frame`"), note="For PoseStamped only."),
        },
        ("name",),
        "The topics that observations are built from. The rest of the file calls the stream `<name>`.",
    ),
    Section(
        "images.<key>",
        ImageSpec,
        {"stream": Key(), "height": Key(unit="pixels"), "width": Key(unit="pixels")},
        ("key",),
        "The image features of the policy. `<key>` is `observation.images.<name>` as in the checkpoint. "
        "An image of another size is refused; nothing is resized.",
    ),
    Section(
        "state[]",
        Selection,
        {
            "stream": Key(),
            "joints": Key(note="For JointState only, required there."),
            "field": Key(
                "position", choices=QUANTITIES, attribute="quantity", meaning="What of the joints is read."
            ),
            "fields": Key(
                kind="list of names",
                meaning=f"What of the pose is read, of {', '.join(f'`{name}`' for name in POSE_FIELDS[:7])}, "
                "`rot6d_0` to `rot6d_5`. For PoseStamped only, required there.",
            ),
            "names": Key(Words("`fields`, or `joints` with `.velocity` or `.effort` added for those")),
        },
        (),
        "The proprio vector, in this order. `action.blocks[].feedback` has the same keys.",
    ),
    Section("action", ActionSpec, {"lead_s": Key(0.0), "blocks": Key(kind="list of mappings")}),
    Section(
        "action.blocks[]",
        ActionBlock,
        {
            "kind": Key(choices=KINDS),
            "names": Key(note="`ee_position` has 3, `ee_pose` 7 (quaternion) or 9 (rot6d)."),
            "unit": Key(Words("rad for joints, m for positions, normalized for grippers")),
            "interpolation": Key(
                Words("`hold` for grippers"),
                choices=("hold", "linear"),
                note="For grippers only; everything else is linear.",
            ),
            "output": Key(kind="mapping"),
            "feedback": Key(
                Words("none, for grippers only; else required"), kind="mapping", note="Keys as in `state[]`."
            ),
        },
        ("start", "rotation"),
        "Consecutive columns of the action. The columns of all blocks in this order are the action.",
    ),
    Section(
        "action.blocks[].output",
        OutputSpec,
        {
            "topic": Key(),
            "type": Key(choices=OUTPUT_TYPES),
            "mode": Key("stream", choices=("stream", "chunk"), note="For JointTrajectory only."),
            "joints": Key(Words("`names` of the block"), note="For JointTrajectory only."),
            "frame": Key(Words("`base_frame`"), note="For these two types only."),
            "orientation": Key(
                Words("required for PoseStamped of an `ee_position`, else not allowed"),
                kind="list of 4 numbers",
            ),
        },
        (),
        f"The controller that the block is sent to. Message types by kind: {_by_kind(OUTPUTS_OF_KIND)}.",
    ),
    Section(
        "limits",
        LimitsSpec,
        {
            "position": Key(kind="name to `[low, high]`", unit="of the action"),
            "velocity": Key(kind="name to number", unit="of the action, per s"),
            "acceleration": Key(kind="name to number", unit="of the action, per s^2"),
            "start_jump": Key(kind="name to number", unit="of the action"),
            "leash": Key(
                Words(f"{LEASH_M:g} m, {LEASH_RAD:g} rad; no limit for grippers and other units"),
                kind="name to number",
                unit="of the action",
            ),
            "workspace": Key(
                kind="`{min: [x, y, z], max: [x, y, z]}`",
                unit="m",
                note="Required where a block is Cartesian, else not allowed.",
            ),
            "rotation": Key(kind="mapping", note="Required where a block is an `ee_pose`, else not allowed."),
        },
        (),
        "What must never be commanded. A chunk that breaks a limit is refused whole. `.inf` is no limit. "
        "`velocity`, `acceleration` and `start_jump` name every column but rotations and grippers with "
        "`interpolation: hold`; `position` names those grippers too.",
    ),
    Section(
        "limits.rotation",
        RotationLimits,
        {
            "velocity": Key(unit="rad/s"),
            "acceleration": Key(unit="rad/s^2"),
            "start_jump": Key(unit="rad"),
            "leash": Key(LEASH_RAD, unit="rad"),
        },
    ),
    Section(
        "teleop[]",
        TeleopSource,
        {
            "name": Key(),
            "kind": Key(
                choices=tuple(TYPES_OF_KIND), meaning="What the device sends; its own keys are below."
            ),
            "topic": Key(),
            "type": Key(Words("the first one that the kind takes")),
            "dead_man": Key(kind="mapping"),
            "max_age_s": Key(0.25),
            "buttons": Key(
                {},
                kind="name to whole number",
                meaning=f"Index in the Joy's buttons of {', '.join(f'`{name}`' for name in BUTTONS)}; "
                "any of them may be missing.",
            ),
            "gripper": Key(Words("none; required with `gripper_open` or `gripper_close`"), kind="mapping"),
        },
        (),
        "The operator's devices, highest priority first ([takeover.md](takeover.md)). All kinds have these "
        f"keys. Message types by kind: {_by_kind(TYPES_OF_KIND)}.",
    ),
    Section(
        "teleop[].dead_man",
        DeadManSpec,
        {
            "topic": Key(Words("the Joy of the source, for `kind: joy`; else required")),
            "button": Key(None, kind="whole number from 0"),
        },
        (),
        "The dead-man switch: the operator holds it while driving.",
    ),
    Section(
        "teleop[].gripper",
        GripperButtons,
        {
            "name": Key(Words("the gripper's column, where there is one only")),
            "open": Key(unit="of the action"),
            "close": Key(unit="of the action"),
        },
    ),
    Section(
        "teleop[]",
        JoySource,
        {"axes": Key(kind="list of mappings"), "deadband": Key(0.05, unit="deflection, 0 to 1")},
        when="kind: joy",
    ),
    Section(
        "teleop[].axes[]",
        AxisSpec,
        {
            "axis": Key(kind="whole number from 0"),
            "component": Key(
                choices=TWIST_COMPONENTS,
                meaning="Component of the end effector's velocity in the base frame.",
            ),
            "scale": Key(unit="m/s, rad/s"),
        },
    ),
    Section("teleop[]", TwistSource, {"frame": Key(Words("`base_frame`"))}, when="kind: twist"),
    Section(
        "teleop[]",
        PoseSource,
        {
            "frame": Key(Words("`base_frame`")),
            "clutch": Key(True),
            "max_jump_m": Key(note=JUMP),
            "max_jump_rad": Key(note=JUMP),
        },
        when="kind: pose",
    ),
    Section(
        "teleop[]",
        LeaderSource,
        {
            "joints": Key(),
            "names": Key(Words("`joints`")),
            "clutch": Key(True),
            "max_jump_rad": Key(note=JUMP),
        },
        when="kind: joints",
    ),
)
