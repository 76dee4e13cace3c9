# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A dataclass becomes declared, described, ranged, read-only parameters; anything else is refused by name."""

from dataclasses import dataclass

import pytest
from rclpy.node import Node
from rclpy.parameter import Parameter

from lbm_policy_node.core.settings import setting
from lbm_policy_node.ros.parameters import ParameterError, declare

pytestmark = pytest.mark.usefixtures("ros")


@dataclass(frozen=True)
class Config:
    rate_hz: float = setting(10.0, "How often, Hz.", low=0.1, high=100.0)
    steps: int = setting(8, "How many, steps.", low=1, high=16)
    enable: bool = setting(False, "Whether.")
    mode: str = setting("hold", "Which way.", choices=("hold", "warn"))


def _node(**overrides: object) -> Node:
    return Node("n", parameter_overrides=[Parameter(key, value=value) for key, value in overrides.items()])


def test_defaults_and_overrides_come_back_in_the_dataclass():
    assert declare(_node(), Config) == Config()
    assert declare(_node(rate_hz=5.0, mode="warn", enable=True), Config) == Config(5.0, 8, True, "warn")


def test_parameters_are_described_ranged_and_read_only():
    node = _node()
    declare(node, Config)
    rate, mode = node.describe_parameter("rate_hz"), node.describe_parameter("mode")
    (bounds,), (steps,) = rate.floating_point_range, node.describe_parameter("steps").integer_range
    assert rate.description == "How often, Hz."
    assert (bounds.from_value, bounds.to_value, steps.to_value) == (0.1, 100.0, 16)
    assert mode.additional_constraints == "one of hold, warn"
    assert not node.set_parameters([Parameter("enable", value=True)])[0].successful


@pytest.mark.parametrize(
    ("overrides", "named"),
    [
        ({"rate_hz": 1000.0}, "rate_hz"),
        ({"steps": 0}, "steps"),
        ({"steps": "many"}, "steps"),
        ({"mode": "hodl"}, "mode.*hodl.*hold"),
        ({"enable_contol": True}, r"n has no parameter .enable_contol.; did you mean .enable.\?"),
    ],
)
def test_a_wrong_or_unknown_override_is_refused_by_name(overrides, named):
    with pytest.raises(ParameterError, match=named):
        declare(_node(**overrides), Config)


def test_sim_time_and_qos_overrides_are_known():
    node = _node(use_sim_time=True, **{"qos_overrides./clock.subscription.depth": 1})
    assert declare(node, Config) == Config()
