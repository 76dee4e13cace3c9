# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""docs/robot-spec.md names exactly the keys that the reader of a robot spec takes, with its defaults."""

import copy
from collections.abc import Iterator
from dataclasses import is_dataclass
from typing import Any

import pytest
import yaml
from doc_pages.robot_spec import undocumented
from doc_pages.sections import REQUIRED, Section, Words
from doc_pages.spec_keys import SECTIONS

from helpers.places import ROOT
from lbm_policy_node.core.spec.robot_spec import RobotSpec, SpecError

Place = tuple[str | int, ...]

TURNING = """
name: turning
step_s: 0.1
control_rate_hz: 100.0
base_frame: base
max_skew_s: 0.05
streams:
  top:  {topic: /top, type: sensor_msgs/msg/CompressedImage, max_age_s: 0.2}
  hand: {topic: /hand, type: geometry_msgs/msg/PoseStamped, max_age_s: 0.1, frame: base}
  arm:  {topic: /joint_states, type: sensor_msgs/msg/JointState, max_age_s: 0.1}
images:
  observation.images.top: {stream: top, height: 8, width: 8}
state:
  - {stream: hand, fields: [x, y, z, qx, qy, qz, qw], names: [x, y, z, a, b, c, d]}
  - {stream: arm, joints: [finger], field: velocity}
action:
  lead_s: 0.1
  blocks:
    - kind: ee_pose
      names: [x, y, z, qx, qy, qz, qw]
      output: {topic: /target, type: geometry_msgs/msg/TwistStamped, frame: base}
      feedback: {stream: hand, fields: [x, y, z, qx, qy, qz, qw]}
    - kind: gripper
      names: [finger]
      interpolation: linear
      output: {topic: /finger, type: trajectory_msgs/msg/JointTrajectory, joints: [finger_joint]}
      feedback: {stream: arm, joints: [finger], field: position}
limits:
  position: {x: [-1, 1], y: [-1, 1], z: [-1, 1], finger: [0, 1]}
  velocity: {x: 1, y: 1, z: 1, finger: 1}
  acceleration: {x: 1, y: 1, z: 1, finger: 1}
  start_jump: {x: 1, y: 1, z: 1, finger: 1}
  leash: {x: 0.1}
  workspace: {min: [-1, -1, -1], max: [1, 1, 1]}
  rotation: {velocity: 1, acceleration: 1, start_jump: 1, leash: 0.2}
teleop:
  - {name: stick, kind: twist, topic: /twist, dead_man: {topic: /pedal}, frame: base}
  - name: tracker
    kind: pose
    topic: /tracker
    type: geometry_msgs/msg/PoseStamped
    dead_man: {topic: /joy, button: 0}
    frame: base
    clutch: false
    max_jump_m: 0.1
    max_jump_rad: 0.1
    max_age_s: 0.2
  - name: leader
    kind: joints
    topic: /leader
    dead_man: {topic: /joy, button: 1}
    joints: [trigger]
    names: [finger]
    clutch: false
    max_jump_rad: 0.1
    buttons: {mark: 2}
  - name: gripper
    kind: joints
    topic: /gripper
    dead_man: {topic: /joy, button: 3}
    joints: [finger]
    max_jump_rad: 0.1
    buttons: {gripper_open: 4}
    gripper: {name: finger, open: 1.0, close: 0.0}
  - name: pad
    kind: joy
    topic: /pad
    dead_man: {axis: 5, rest: 1.0, threshold: 0.5}
    axes:
      - {axis: 2, component: z, scale: 0.1, rest: -1.0, invert: true}
"""


@pytest.fixture(scope="module", name="specs")
def _specs() -> list[dict[str, Any]]:
    """Every shipped spec, and one with what none of them has: orientations, twists, poses."""
    files = sorted((ROOT / "config" / "robots").glob("*.yaml"))
    return [*(yaml.safe_load(file.read_text()) for file in files), yaml.safe_load(TURNING)]


def places(values: Any, parts: list[str], so_far: Place = ()) -> Iterator[Place]:
    """Where the mappings lie that a section's path stands for."""
    if not parts:
        yield so_far
    elif parts[0].startswith("<"):
        for name in values:
            yield from places(values[name], parts[1:], (*so_far, name))
    else:
        name = parts[0].removesuffix("[]")
        if name in values:
            below = list(enumerate(values[name])) if parts[0].endswith("[]") else [(None, values[name])]
            for index, value in below:
                where = (name,) if index is None else (name, index)
                yield from places(value, parts[1:], (*so_far, *where))


def mappings(section: Section, specs: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], Place]]:
    """Each spec that has the section's mapping, and where."""
    for spec in specs:
        for place in places(spec, section.path.split(".") if section.path else []):
            if not section.when or at(spec, place)["kind"] == section.when.removeprefix("kind: "):
                yield spec, place


def at(values: Any, place: Place) -> Any:
    for part in place:
        values = getattr(values, str(part)) if is_dataclass(values) else values[part]
    return values


def changed(spec: dict[str, Any], place: Place) -> tuple[dict[str, Any], dict[str, Any]]:
    """A copy of a spec, and the mapping at a place in it."""
    copied = copy.deepcopy(spec)
    return copied, at(copied, place)


@pytest.mark.parametrize("section", SECTIONS, ids=lambda s: f"{s.path} {s.when}".strip() or "top level")
def test_the_page_accounts_for_every_attribute(section: Section) -> None:
    assert not undocumented(section)


def known_keys(spec: dict[str, Any], place: Place) -> set[str]:
    """What the reader says when it finds a key that it does not know."""
    wrong, mapping = changed(spec, place)
    mapping["no_such_key"] = 1
    with pytest.raises(SpecError, match="unknown key") as refused:
        RobotSpec.from_mapping(wrong)
    return set(str(refused.value).partition("known here: ")[2].split(", "))


@pytest.mark.parametrize("path", sorted({section.path for section in SECTIONS}))
def test_the_page_has_the_keys_that_the_reader_takes(path: str, specs: list[dict[str, Any]]) -> None:
    sections = [section for section in SECTIONS if section.path == path]
    whole = next(section for section in sections if not section.when)
    known = set().union(*(known_keys(spec, place) for spec, place in mappings(whole, specs)))
    assert known == set().union(*(section.keys for section in sections))


def without(spec: dict[str, Any], place: Place, name: str) -> RobotSpec | SpecError:
    """What the reader makes of a spec that lacks one key."""
    wrong, mapping = changed(spec, place)
    del mapping[name]
    try:
        return RobotSpec.from_mapping(wrong)
    except SpecError as error:
        return error


@pytest.mark.parametrize("section", SECTIONS, ids=lambda s: f"{s.path} {s.when}".strip() or "top level")
def test_required_keys_are_required_and_the_others_have_the_default_of_the_page(
    section: Section, specs: list[dict[str, Any]]
) -> None:
    for name, key in section.keys.items():
        found = [(s, p, without(s, p, name)) for s, p in mappings(section, specs) if name in at(s, p)]
        assert found, f"no spec of this test has {section.path}.{name}"
        read = [(result, place) for _, place, result in found if isinstance(result, RobotSpec)]
        if key.default == REQUIRED:
            assert not read, f"{section.path}.{name} may be missing"
        elif not isinstance(key.default, Words):
            assert read, f"{section.path}.{name} is required"
            for result, place in read:
                assert at(result, (*place, key.attribute or name)) == key.default
