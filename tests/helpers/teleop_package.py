# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A package of somebody else that offers a teleop kind: a stick that sends the speeds of action columns."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from helpers.outside_package import install
from lbm_policy_node.core.plugins import TELEOP_KINDS

PACKAGE = "speed_stick_package"
KIND = "speed_stick"
SOURCE = """
from dataclasses import dataclass

import numpy as np

from lbm_policy_node.core.reasons import Reason, ReasonCode
from lbm_policy_node.core.spec.teleop_sources import TeleopSource
from lbm_policy_node.core.takeover.teleop_checks import check_finite
from lbm_policy_node.core.takeover.teleop_kind import TeleopKind


@dataclass(frozen=True, kw_only=True)
class SpeedStickSource(TeleopSource):
    names: tuple[str, ...]


class SpeedStickKind(TeleopKind[SpeedStickSource, np.ndarray]):
    types = ("std_msgs/msg/Float64MultiArray",)
    sample_type = np.ndarray
    moves_end_effector = False

    def read_spec(self, entry, common, robot):
        names = entry.words("names")
        for name in names:
            if name not in robot.action.names:
                raise entry.fail("names", f"'{name}' is no action")
        return common.extended(SpeedStickSource, names=names)

    def read_message(self, source, message):
        if len(message.data) == len(source.names):
            return np.array(message.data)
        return Reason(ReasonCode.OBSERVATION_WRONG_SHAPE, f"{source.name}: {len(message.data)} speeds")

    def check_sample(self, source, sample):
        return check_finite(source, sample)

    def target(self, source, step):
        target = step.previous.copy()
        for name, speed in zip(source.names, step.sample):
            target[step.robot.action.names.index(name)] += speed * step.duration_s
        return target


KIND = SpeedStickKind()
"""
TELEOP = """
teleop:
  - name: stick
    kind: speed_stick
    topic: /speeds
    names: [y, x]
    dead_man: {topic: /pedal}
"""


@contextmanager
def teleop_package(
    folder: Path, patch: pytest.MonkeyPatch, *, source: str = SOURCE, kind: str = KIND, name: str = PACKAGE
) -> Iterator[None]:
    """Install a package that offers a kind, for the time of a test."""
    install(patch, folder, name, {"stick": source}, {TELEOP_KINDS: {kind: f"{name}.stick:KIND"}})
    yield
    for module in (name, f"{name}.stick"):
        sys.modules.pop(module, None)
