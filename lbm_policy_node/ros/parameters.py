# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A frozen dataclass becomes declared, described, ranged, read-only ROS parameters, and comes back filled in.

The dataclass is the only place of the defaults::

    @dataclass(frozen=True)
    class Config:
        rate_hz: float = parameter(10.0, "How often.", low=0.1, high=1000.0)

    config = declare(node, Config)
"""

import dataclasses
from typing import Any, TypeVar, get_type_hints

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.node import Node

Config = TypeVar("Config")


class ParameterError(ValueError):
    """A parameter was given that does not exist, has another type, or lies outside its range."""


def parameter(
    default: Any,
    description: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
) -> Any:
    """Declare a field of a node's config.

    Args:
        default: Its default; the type of the field must be bool, int, float or str.
        description: One sentence with the unit, shown by ``ros2 param describe``.
        low: Smallest allowed number; with it, ``high`` must be given.
        high: Largest allowed number.
        choices: The allowed strings.
    """
    metadata = {"description": description, "low": low, "high": high, "choices": choices}
    return dataclasses.field(default=default, metadata=metadata)


def _descriptor(field: dataclasses.Field[Any], kind: type) -> ParameterDescriptor:
    low, high, choices = (field.metadata.get(key) for key in ("low", "high", "choices"))
    descriptor = ParameterDescriptor(description=field.metadata["description"], read_only=True)
    if choices:
        descriptor.additional_constraints = f"one of: {', '.join(choices)}"
    if kind is int and low is not None and high is not None:
        descriptor.integer_range = [IntegerRange(from_value=int(low), to_value=int(high), step=1)]
    if kind is float and low is not None and high is not None:
        descriptor.floating_point_range = [FloatingPointRange(from_value=float(low), to_value=float(high))]
    return descriptor


def _declare_field(node: Node, field: dataclasses.Field[Any], kind: type) -> Any:
    try:
        value = node.declare_parameter(field.name, field.default, _descriptor(field, kind)).value
    except (InvalidParameterTypeException, InvalidParameterValueException) as error:
        raise ParameterError(f"parameter '{field.name}' of {node.get_name()}: {error}") from error
    choices = field.metadata.get("choices")
    if choices and value not in choices:
        raise ParameterError(
            f"parameter '{field.name}' of {node.get_name()} is '{value}'; expected one of {list(choices)}"
        )
    return value


def declare(node: Node, config_type: type[Config]) -> Config:
    """Declare every field of a dataclass as a parameter of the node and read the values back.

    Raises:
        ParameterError: An override has another type, leaves its range, or names no parameter.
    """
    hints = get_type_hints(config_type)
    fields = dataclasses.fields(config_type)  # type: ignore[arg-type]
    values = {field.name: _declare_field(node, field, hints[field.name]) for field in fields}
    refuse_unknown(node)
    return config_type(**values)


def refuse_unknown(node: Node) -> None:
    """Refuse overrides (command line, parameter file) that name no declared parameter.

    ROS ignores them silently, so that a misspelt ``enable_contol`` would do nothing.

    Raises:
        ParameterError: With the unknown names and the known ones.
    """
    given = node._parameter_overrides  # no public access to undeclared overrides exists
    unknown = sorted(n for n in given if not node.has_parameter(n) and not n.startswith("qos_overrides."))
    if unknown:
        known = sorted(name for name in node._parameters if not name.startswith("qos_overrides."))
        raise ParameterError(f"{node.get_name()} has no parameter {unknown}; it has {known}")
