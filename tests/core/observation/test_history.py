# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The history serves observations at the trained spacing, and repeats the first one at the start."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.places import ASSETS
from lbm_policy_node.core.observation.alignment import AlignedSamples
from lbm_policy_node.core.observation.builder import ObservationBuilder
from lbm_policy_node.core.observation.history import ObservationHistory
from lbm_policy_node.core.observation.samples import JointSample, LazySample, PoseSample
from lbm_policy_node.core.observation.sighting import Sighting
from lbm_policy_node.core.observation.stream_buffer import Stamped
from lbm_policy_node.core.reasons import Reason, ReasonCode
from lbm_policy_node.core.spec.robot_spec import RobotSpec

MS = 1_000_000
BROKEN = Reason(ReasonCode.OBSERVATION_WRONG_ENCODING, "no JPEG")
BUILDER = ObservationBuilder(RobotSpec.load(ASSETS / "robots" / "sawyer.yaml"))


class Camera:
    """Makes sightings of the simulated robot's spec, and counts the images that are decoded."""

    def __init__(self, spec: RobotSpec) -> None:
        self.builder, self.decoded_ms = ObservationBuilder(spec), list[int]()

    def sighting(self, at_ms: int, *, broken: bool = False) -> Sighting:
        def decode() -> Any:
            self.decoded_ms.append(at_ms)
            return BROKEN if broken else np.full((128, 128, 3), at_ms % 256, np.uint8)

        samples = {
            "front": LazySample(decode),
            "wrist": np.zeros((128, 128, 3), np.uint8),
            "joints": JointSample(("gripper_opening",), np.array([0.5]), np.zeros(0), np.zeros(0)),
            "ee_pose": PoseSample(np.zeros(3), np.array([0.0, 0.0, 0.0, 1.0]), "base"),
        }
        stamp_ns = at_ms * MS
        stamped = {name: Stamped(stamp_ns, stamp_ns, value) for name, value in samples.items()}
        return Sighting(AlignedSamples(stamp_ns, stamped), self.builder)


@pytest.fixture
def camera(spec: RobotSpec) -> Camera:
    return Camera(spec)


def sighting(at_ms: int) -> Sighting:
    """One that is looked at by its stamp only."""
    return Sighting(AlignedSamples(at_ms * MS, {}), BUILDER)


def stamps(history: ObservationHistory) -> list[int]:
    window = history.window()
    assert not isinstance(window, Reason), window
    return [seen.stamp_ns // MS for seen in window]


def test_the_first_observation_is_repeated_at_the_start():
    history = ObservationHistory(3, 50 * MS)
    history.push(sighting(1_000))
    assert stamps(history) == [1_000, 1_000, 1_000]
    history.push(sighting(1_050))
    assert stamps(history) == [1_000, 1_000, 1_050]
    history.push(sighting(1_100))
    history.push(sighting(1_150))
    assert stamps(history) == [1_050, 1_100, 1_150]


def test_faster_observations_are_thinned_to_the_spacing():
    history = ObservationHistory(2, 50 * MS)
    for at_ms in range(0, 331, 33):
        history.push(sighting(at_ms))
    assert stamps(history) == [264, 330]  # 264 is nearest to 280


def test_a_gap_is_a_reason_and_not_an_old_sighting():
    history = ObservationHistory(2, 50 * MS)
    history.push(sighting(0))
    history.push(sighting(50))
    history.push(sighting(500))
    window = history.window()
    assert isinstance(window, Reason) and window.code == ReasonCode.OBSERVATION_MISSING
    history.push(sighting(550))
    assert stamps(history) == [500, 550]


def test_an_empty_history_is_a_reason():
    assert isinstance(ObservationHistory(1, MS).window(), Reason)


def test_the_same_stamp_twice_counts_once_and_an_older_one_starts_over():
    history = ObservationHistory(2, 50 * MS)
    for at_ms in (1_000, 1_050, 1_050):
        history.push(sighting(at_ms))
    assert stamps(history) == [1_000, 1_050]
    history.push(sighting(200))
    assert stamps(history) == [200, 200]
    history.reset()
    assert isinstance(history.window(), Reason)


@given(
    gaps=st.lists(st.integers(1, 120), min_size=1, max_size=40),
    n=st.integers(1, 4),
    step_ms=st.integers(20, 100),
)
def test_every_served_observation_is_in_its_place_or_before_the_first(gaps, n, step_ms):
    history = ObservationHistory(n, step_ms * MS)
    pushed = list(np.cumsum(gaps))
    for at_ms in pushed:
        history.push(sighting(int(at_ms)))
    window = history.window()
    if isinstance(window, Reason):
        return
    for back, seen in zip(range(n - 1, -1, -1), window, strict=True):
        wanted = max(pushed[-1] - back * step_ms, pushed[0])
        assert abs(seen.stamp_ns / MS - wanted) <= step_ms / 2


def test_only_what_is_in_the_window_is_decoded_and_only_once(camera: Camera):
    history = ObservationHistory(2, 50 * MS)
    for at_ms in range(1_000, 1_401, 25):
        history.push(camera.sighting(at_ms))
    assert not camera.decoded_ms
    first, second = history.observations("go"), history.observations("go")
    assert not isinstance(first, Reason) and not isinstance(second, Reason)
    assert camera.decoded_ms == [1_350, 1_400]
    assert first[0] is second[0] and first[1] is second[1], "the policy recognises what it has seen before"
    assert [int(o.images["observation.images.front"][0, 0, 0]) for o in first] == [1_350 % 256, 1_400 % 256]


def test_a_new_instruction_goes_into_every_observation_and_decodes_nothing(camera: Camera):
    history = ObservationHistory(2, 50 * MS)
    history.push(camera.sighting(1_000))
    history.observations("open the door")
    history.push(camera.sighting(1_050))
    seen = history.observations("close it")
    assert not isinstance(seen, Reason) and [o.instruction for o in seen] == ["close it"] * 2
    assert camera.decoded_ms == [1_000, 1_050]


def test_an_image_that_cannot_be_decoded_is_a_reason_and_then_as_if_it_had_never_been_seen(camera: Camera):
    history = ObservationHistory(2, 50 * MS)
    history.push(camera.sighting(1_000, broken=True))
    history.push(camera.sighting(1_050))
    assert history.observations("go") == BROKEN
    seen = history.observations("go")
    assert not isinstance(seen, Reason) and [o.stamp_ns // MS for o in seen] == [1_050, 1_050]


def test_a_gap_where_an_image_could_not_be_decoded_is_not_filled(camera: Camera):
    history = ObservationHistory(2, 50 * MS)
    for at_ms in (1_000, 1_050, 1_100):
        history.push(camera.sighting(at_ms, broken=at_ms == 1_050))
    assert history.observations("go") == BROKEN
    gap = history.observations("go")
    assert isinstance(gap, Reason) and gap.code == ReasonCode.OBSERVATION_MISSING
