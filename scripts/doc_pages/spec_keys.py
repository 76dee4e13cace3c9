# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The keys of a robot spec: where each one stands in the YAML file, and which dataclass holds its value.

Types, units and meanings come from the dataclasses. What they cannot say is said here: the defaults, which
the reader applies, and the words of fixed lists. tests/project/test_robot_spec_page.py compares both.
"""

from __future__ import annotations

from doc_pages.sections import Key, Section, Words, by_kind
from doc_pages.teleop_keys import TELEOP_SECTIONS
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

OUTPUT_TYPES = tuple(dict.fromkeys(name for types in OUTPUTS_OF_KIND.values() for name in types))

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
        f"The controller that the block is sent to. Message types by kind: {by_kind(OUTPUTS_OF_KIND)}.",
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
    *TELEOP_SECTIONS,
)
