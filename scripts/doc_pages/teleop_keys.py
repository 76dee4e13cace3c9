# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The keys of the `teleop` list of a robot spec: those of all devices, and those of each kind."""

from __future__ import annotations

from doc_pages.sections import Key, Section, Words, by_kind
from lbm_policy_node.core.spec.teleop_sources import BUTTONS, DeadManSpec, GripperButtons, TeleopSource
from lbm_policy_node.core.takeover.kinds.joints import LeaderSource
from lbm_policy_node.core.takeover.kinds.joy import TWIST_COMPONENTS, AxisSpec, JoySource
from lbm_policy_node.core.takeover.kinds.pose import PoseSource
from lbm_policy_node.core.takeover.kinds.twist import TwistSource
from lbm_policy_node.core.takeover.teleop_kinds import BUILT_IN, teleop_kind

TYPES_OF_KIND = {name: teleop_kind(name).types for name in BUILT_IN}
JUMP = "A larger step is not followed."
TELEOP_SECTIONS = (
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
        f"keys. Message types by kind: {by_kind(TYPES_OF_KIND)}.",
    ),
    Section(
        "teleop[].dead_man",
        DeadManSpec,
        {
            "topic": Key(Words("the Joy of the source, for `kind: joy`; else required")),
            "button": Key(None, kind="whole number from 0"),
            "axis": Key(Words("none"), kind="whole number from 0"),
            "rest": Key(Words("none; required with `axis`"), unit="-1 to 1"),
            "threshold": Key(0.75, unit="share of the way, 0 to 1"),
        },
        (),
        "The dead-man switch: the operator holds it while driving. With `axis` it counts only after it was "
        "seen released, and again so after a pause in the messages longer than `max_age_s`.",
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
            "rest": Key(0.0, unit="-1 to 1"),
            "invert": Key(False),
        },
        (),
        "An axis moves nothing until it was seen at rest ([takeover.md](takeover.md)).",
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
