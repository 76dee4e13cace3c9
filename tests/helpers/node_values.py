# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A legal value for each setting of each node, other than its default."""

from lbm_policy_node.core.settings import Setting, Value
from lbm_policy_node.graph.nodes import node_settings

FIXED: dict[tuple[str, str], Value] = {
    ("sim_robot_node", "image_rate_hz"): 40.0,  # images fall on control ticks
    ("scripted_teleop_node", "reaction_low_s"): 0.5,  # not above the longest reaction time
}


def other_value(node: str, setting: Setting) -> Value:
    """Return the value; an absolute path where any text will do, because some texts are paths."""
    if (node, setting.name) in FIXED:
        return FIXED[node, setting.name]
    if setting.kind is bool:
        return not setting.default
    if setting.choices:
        return next(choice for choice in setting.choices if choice not in (setting.default, ""))
    if setting.kind is str:
        return f"/some where/{setting.name}"
    high = 1e6 if setting.high is None else setting.high
    value = setting.kind(setting.default + 1 if setting.default + 1 <= high else high / 2)
    return value if value == value else 2.5  # a default of NaN


def every_setting(nodes: tuple[str, ...]) -> list[tuple[str, str]]:
    """List (node, setting) of every node, use_sim_time included."""
    return [(node, name) for node in nodes for name in node_settings(node)]


def text_of(value: Value) -> str:
    """Write a value as one does on a command line."""
    return str(value).lower() if isinstance(value, bool) else str(value)
