# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A teleop kind of another package drives a robot; a broken one is refused in one line and moves nothing."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import yaml

from helpers.takeover_cell import TICK_NS, Cell
from helpers.teleop_package import SOURCE, TELEOP, teleop_package
from helpers.teleop_robots import JOY, moving_robot, sawyer
from lbm_policy_node.core.execution.arbitration import ControlMode
from lbm_policy_node.core.reasons import Reason, ReasonCode
from lbm_policy_node.core.spec.robot_spec import RobotSpec, SpecError
from lbm_policy_node.core.takeover.teleop_kinds import BUILT_IN, kind_names, teleop_kind

STICK = yaml.safe_load(TELEOP)["teleop"][0]


def load(folder: Path, *teleop: dict[str, Any]) -> RobotSpec:
    path = folder / "robot.yaml"
    path.write_text(yaml.safe_dump(sawyer(list(teleop))), encoding="utf-8")
    return RobotSpec.load(path)


def refusal(folder: Path, *teleop: dict[str, Any]) -> str:
    with pytest.raises(SpecError) as refused:
        load(folder, *teleop)
    text = str(refused.value)
    assert text.startswith(f"{folder}/robot.yaml: 'teleop[0].") and "\n" not in text
    return text


class Driver:
    """Holds the dead-man switch of a source whose kind may be any, and ticks the executor."""

    def __init__(self, spec: RobotSpec) -> None:
        (self.source,) = spec.teleop
        self.kind, self.cell = teleop_kind(self.source.kind), Cell(spec)

    def run(self, ticks: int, *speeds: float, pressed: bool = True) -> None:
        for _ in range(ticks):
            now_ns, takeover = self.cell.now_ns, self.cell.executor.takeover
            sample = self.kind.read_message(self.source, SimpleNamespace(data=speeds))
            if isinstance(sample, Reason):
                takeover.on_readable(self.source.name, "motion", sample, now_ns)
            else:
                takeover.on_sample(self.source.name, sample, now_ns, now_ns)
            takeover.on_dead_man(self.source.name, pressed, now_ns, now_ns)
            self.cell.tick()

    @property
    def reason(self) -> Reason:
        return self.cell.last.reason


@pytest.fixture
def stick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with teleop_package(tmp_path, monkeypatch):
        yield


@pytest.mark.usefixtures("stick")
def test_a_kind_of_another_package_drives_the_robot_from_the_spec_through_the_executor(
    tmp_path: Path,
) -> None:
    driver = Driver(load(tmp_path, STICK))
    driver.cell.drive()
    driver.run(2, 0.0, 0.0, pressed=False)
    driver.run(40, 0.0, 0.0)
    start = driver.cell.position.copy()
    driver.run(100, -0.1, 0.2)
    assert driver.cell.mode is ControlMode.HUMAN and driver.cell.last.source == "stick"
    travelled = driver.cell.position - start
    np.testing.assert_allclose(travelled[:3], np.array([0.2, -0.1, 0.0]) * 100 * TICK_NS / 1e9, atol=1e-9)
    driver.run(1, 0.0)
    assert "stick: 1 speeds" in driver.reason.text
    driver.run(60, 0.0, 0.0, pressed=False)
    assert driver.cell.mode is ControlMode.HOLD


@pytest.mark.usefixtures("stick")
def test_its_keys_are_read_as_strictly_as_those_of_a_built_in_kind(tmp_path: Path) -> None:
    assert kind_names() == (*BUILT_IN, "speed_stick")
    assert "teleop[0].names' is ['w']: 'w' is no action" in refusal(tmp_path, {**STICK, "names": ["w"]})
    assert "unknown key; known here" in refusal(tmp_path, {**STICK, "colour": "red"})
    assert "expected one of ['std_msgs/msg/Float64MultiArray']" in refusal(
        tmp_path, {**STICK, "type": "a/msg/B"}
    )


def test_without_the_package_the_kind_is_unknown(tmp_path: Path) -> None:
    assert "expected one of ['joy', 'twist', 'pose', 'joints']" in refusal(tmp_path, STICK)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (
            "import a_module_that_is_missing",
            "cannot be imported: ModuleNotFoundError: No module named 'a_module_that_is_missing'",
        ),
        ("KIND = 1 /", "cannot be imported: SyntaxError: invalid syntax"),
        ("KIND = 1 / 0", "cannot be imported: ZeroDivisionError: division by zero"),
        ("", "cannot be imported: AttributeError: module 'broken.stick' has no attribute 'KIND'"),
        ("KIND = 'a word'", "is a str; expected a TeleopKind"),
        (SOURCE.replace('entry.words("names")', "robot.joints"), "cannot read its keys: AttributeError"),
        (SOURCE.replace("return common.extended", "return str"), "cannot read its keys: TypeError"),
        (SOURCE.replace("return common", "return names or common"), "read a tuple, expected a TeleopSource"),
    ],
)
def test_a_broken_package_is_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, says: str
) -> None:
    with teleop_package(tmp_path, monkeypatch, source=source, name="broken"):
        assert says in refusal(tmp_path, STICK)


def test_a_package_that_takes_a_built_in_name_is_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with teleop_package(tmp_path, monkeypatch, kind="joy"):
        text = refusal(tmp_path, JOY)
    assert (
        "'joy' of lbm_policy.teleop_kinds (speed_stick_package.stick:KIND) has the name of a built-in" in text
    )
    monkeypatch.undo()
    assert moving_robot(JOY).teleop[0].kind == "joy"


def test_two_packages_with_one_name_are_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        teleop_package(tmp_path, monkeypatch),
        teleop_package(tmp_path, monkeypatch, name="another"),
    ):
        assert "two packages offer 'speed_stick'" in refusal(tmp_path, STICK)


@pytest.mark.parametrize(
    ("correct", "broken", "says"),
    [
        ("return target\n", "return target * np.nan\n", "stick: the target is [nan"),
        ("return target\n", "return target[:2]\n", "stick: the target has shape (2,), expected (4,)"),
        ("+= speed *", "+= step.speed *", "stick: kind 'speed_stick' failed at the target: AttributeError"),
        ("return np.array(message.data)", "return message.values", "failed at a message: AttributeError"),
        ("check_finite(source, sample)", "check_finite(sample)", "failed at a sample: TypeError"),
    ],
)
def test_a_kind_that_fails_while_it_drives_moves_nothing_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, correct: str, broken: str, says: str
) -> None:
    assert correct in SOURCE
    with teleop_package(tmp_path, monkeypatch, source=SOURCE.replace(correct, broken)):
        driver = Driver(load(tmp_path, STICK))
    driver.cell.drive()
    driver.run(2, 0.1, 0.1, pressed=False)
    driver.run(1, 0.1, 0.1)
    assert driver.cell.mode is ControlMode.HOLD and says in driver.reason.text
    assert driver.reason.code is ReasonCode.HUMAN_CONTROL
    driver.run(40, 0.1, 0.1)
    at_rest = driver.cell.position
    driver.run(40, 0.1, 0.1)
    np.testing.assert_array_equal(driver.cell.position, at_rest)
