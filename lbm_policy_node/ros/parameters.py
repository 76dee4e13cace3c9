# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The settings of a dataclass become declared, described, ranged, read-only ROS parameters of a node."""

import sys
from collections.abc import Callable
from typing import Any, Final, TypeVar

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.node import Node

from lbm_policy_node.core.settings import Setting, SettingError, build, settings_of, unknown

Config = TypeVar("Config")
LARGEST_INTEGER: Final = 2**63 - 1


class ParameterError(SettingError):
    """A parameter was given that does not exist, has another type, or lies outside its range."""


def descriptor(setting: Setting) -> ParameterDescriptor:
    """Describe a setting as ``ros2 param describe`` shows it."""
    description = ParameterDescriptor(description=setting.description, read_only=True)
    low, high = setting.low, setting.high
    if setting.choices:
        description.additional_constraints = setting.expectation
    elif setting.kind is int and (low is not None or high is not None):
        whole_low = -LARGEST_INTEGER if low is None else int(low)
        whole_high = LARGEST_INTEGER if high is None else int(high)
        description.integer_range = [IntegerRange(from_value=whole_low, to_value=whole_high, step=1)]
    elif setting.kind is float and (low is not None or high is not None):
        real_low = -sys.float_info.max if low is None else float(low)
        real_high = sys.float_info.max if high is None else float(high)
        description.floating_point_range = [FloatingPointRange(from_value=real_low, to_value=real_high)]
    return description


def _declare_setting(node: Node, setting: Setting) -> Any:
    try:
        return node.declare_parameter(setting.name, setting.default, descriptor(setting)).value
    except (InvalidParameterTypeException, InvalidParameterValueException) as error:
        raise ParameterError(f"parameter '{setting.name}' of {node.get_name()}: {error}") from error


def declare(node: Node, config_type: Callable[..., Config]) -> Config:
    """Declare every setting of a dataclass as a parameter of the node and read the values back.

    Raises:
        ParameterError: An override has another type, leaves its range, is no choice, or names no parameter.
        ValueError: The dataclass refuses what does not fit together.
    """
    assert isinstance(config_type, type)
    values = {entry.name: _declare_setting(node, entry) for entry in settings_of(config_type)}
    refuse_unknown(node)
    try:
        return build(config_type, values)
    except SettingError as error:
        raise ParameterError(f"{node.get_name()}: {error}") from error


def refuse_unknown(node: Node) -> None:
    """Refuse overrides (command line, parameter file) that name no declared parameter.

    ROS ignores them silently, so that a misspelt ``enable_contol`` would do nothing.

    Raises:
        ParameterError: With the unknown name and the nearest known one.
    """
    given = node._parameter_overrides  # no public access to undeclared overrides exists
    misspelt = sorted(n for n in given if not node.has_parameter(n) and not n.startswith("qos_overrides."))
    if misspelt:
        known = [name for name in node._parameters if not name.startswith("qos_overrides.")]
        raise ParameterError(unknown(f"{node.get_name()} has no parameter", misspelt[0], known))
