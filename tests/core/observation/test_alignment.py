# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Streams of different rates are aligned by header stamp, never beyond the skew or the maximum age."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from helpers.examples import examples
from lbm_policy_node.core.observation.alignment import AlignedSamples, StreamAligner
from lbm_policy_node.core.observation.samples import JointSample
from lbm_policy_node.core.observation.stream_buffer import MAX_SAMPLES, StreamBuffer
from lbm_policy_node.core.reasons import Reason, ReasonCode
from lbm_policy_node.core.spec.spec_streams import StreamSpec

MS = 1_000_000
IMAGE = np.zeros((2, 2, 3), dtype=np.uint8)
JOINTS = JointSample(("a",), np.zeros(1), np.zeros(1), np.zeros(1))
STREAMS = (
    StreamSpec("front", "/front", "sensor_msgs/msg/Image", 0.25),
    StreamSpec("wrist", "/wrist", "sensor_msgs/msg/Image", 0.25),
    StreamSpec("joints", "/joints", "sensor_msgs/msg/JointState", 0.1),
)


def aligner(skew_ms: int = 60) -> StreamAligner:
    return StreamAligner(STREAMS, skew_ms * MS)


def push(target: StreamAligner, now_ms: int, **stamps_ms: int) -> None:
    for name, stamp_ms in stamps_ms.items():
        target.push(name, stamp_ms * MS, JOINTS if name == "joints" else IMAGE, now_ms * MS)


def stamps(result: AlignedSamples | Reason) -> dict[str, int]:
    assert isinstance(result, AlignedSamples), result
    return {name: sample.stamp_ns // MS for name, sample in result.samples.items()}


def code(result: AlignedSamples | Reason) -> ReasonCode:
    assert isinstance(result, Reason)
    return result.code


def test_the_newest_image_decides_and_the_others_are_what_was_known_then():
    streams = aligner()
    push(streams, 100, front=60, wrist=50, joints=60)
    push(streams, 110, front=93, wrist=83, joints=90)
    push(streams, 111, joints=100)
    assert stamps(streams.align(111 * MS)) == {"front": 93, "wrist": 83, "joints": 90}


def test_samples_that_arrive_out_of_order_are_sorted_by_stamp():
    streams = aligner()
    push(streams, 100, front=90, wrist=90, joints=95)
    push(streams, 101, joints=88)
    assert stamps(streams.align(101 * MS)) == {"front": 90, "wrist": 90, "joints": 88}


def test_a_stream_that_lags_makes_the_older_complete_set_the_newest():
    streams = aligner(skew_ms=20)
    push(streams, 100, front=90, wrist=90, joints=90)
    push(streams, 130, front=125, joints=126)
    assert stamps(streams.align(130 * MS)) == {"front": 90, "wrist": 90, "joints": 90}


def test_a_missing_stream_is_named_with_its_topic():
    streams = aligner()
    push(streams, 100, front=90, joints=90)
    result = streams.align(100 * MS)
    assert code(result) == ReasonCode.OBSERVATION_MISSING
    assert isinstance(result, Reason) and "/wrist" in result.text


def test_a_camera_that_stops_is_stale_and_recovers_by_itself():
    streams = aligner()
    push(streams, 100, front=100, wrist=100, joints=100)
    push(streams, 400, front=400, joints=400)
    result = streams.align(400 * MS)
    assert code(result) == ReasonCode.OBSERVATION_STALE
    assert isinstance(result, Reason) and "wrist" in result.text and "0.300" in result.text
    push(streams, 433, front=433, wrist=433, joints=433)
    assert stamps(streams.align(433 * MS))["wrist"] == 433


def test_each_stream_has_its_own_maximum_age():
    streams = aligner(skew_ms=200)
    push(streams, 300, front=160, wrist=160, joints=160)
    assert code(streams.align(300 * MS)) == ReasonCode.OBSERVATION_STALE
    push(streams, 300, joints=210)
    assert (
        code(streams.align(300 * MS)) == ReasonCode.OBSERVATION_STALE
    )  # the sample that fits is the old one


def test_two_cameras_half_a_second_apart_are_refused_also_where_the_age_allows_it():
    patient = tuple(StreamSpec(s.name, s.topic, s.type, 1.0) for s in STREAMS)
    streams = StreamAligner(patient, 60 * MS)
    push(streams, 510, front=510, wrist=10, joints=510)
    result = streams.align(510 * MS)
    assert code(result) == ReasonCode.OBSERVATION_SKEWED
    assert isinstance(result, Reason) and "'wrist' lies 0.500 s behind" in result.text
    push(streams, 550, wrist=540, front=545)
    assert stamps(streams.align(550 * MS)) == {"front": 545, "wrist": 540, "joints": 510}


def test_a_stamp_ahead_of_the_clock_is_refused_until_the_clock_catches_up():
    streams = aligner()
    push(streams, 100, front=100, wrist=100, joints=100)
    push(streams, 100, front=300)
    assert code(streams.align(100 * MS)) == ReasonCode.OBSERVATION_SKEWED
    push(streams, 300, wrist=300, joints=300)
    assert stamps(streams.align(300 * MS)) == {"front": 300, "wrist": 300, "joints": 300}


def test_one_absurd_stamp_does_not_block_the_stream():
    streams = aligner()
    push(streams, 100, front=10_000_000, wrist=100, joints=100)
    assert code(streams.align(100 * MS)) == ReasonCode.OBSERVATION_SKEWED
    push(streams, 110, front=105)
    assert stamps(streams.align(110 * MS))["front"] == 105


def test_a_clock_that_jumps_back_drops_everything_once_and_recovers():
    streams = aligner()
    push(streams, 5_000, front=5_000, wrist=5_000, joints=5_000)
    assert code(streams.align(100 * MS)) == ReasonCode.CLOCK_JUMPED
    assert code(streams.align(101 * MS)) == ReasonCode.OBSERVATION_MISSING
    push(streams, 110, front=110, wrist=110, joints=110)
    assert stamps(streams.align(110 * MS)) == {"front": 110, "wrist": 110, "joints": 110}


def test_a_small_jump_back_does_not_reuse_samples_of_the_old_time():
    streams = aligner()
    push(streams, 5_000, front=4_900, wrist=4_900, joints=4_900)
    assert code(streams.align(4_920 * MS)) == ReasonCode.CLOCK_JUMPED
    assert code(streams.align(4_920 * MS)) == ReasonCode.OBSERVATION_MISSING


def test_samples_that_come_before_the_message_of_the_jumped_clock_are_kept():
    streams = aligner()
    push(streams, 5_000, front=5_000, wrist=5_000, joints=5_000)
    push(streams, 5_001, front=40, wrist=40, joints=40)
    assert code(streams.align(50 * MS)) == ReasonCode.CLOCK_JUMPED
    assert stamps(streams.align(50 * MS)) == {"front": 40, "wrist": 40, "joints": 40}


def test_images_are_referenced_not_copied():
    streams = aligner()
    push(streams, 100, front=100, wrist=100, joints=100)
    result = streams.align(100 * MS)
    assert isinstance(result, AlignedSamples) and result.samples["front"].value is IMAGE


def test_the_buffer_is_bounded_in_time_and_in_number():
    buffer = StreamBuffer(window_ns=100 * MS)
    for stamp in range(1000):
        buffer.push(stamp * MS, stamp * MS, JOINTS)
    assert len(buffer.stamps()) <= 102
    for index in range(2 * MAX_SAMPLES):
        buffer.push(index, 2_000 * MS, JOINTS)
    assert len(buffer.stamps()) <= MAX_SAMPLES


events = st.lists(
    st.tuples(st.sampled_from(["front", "wrist", "joints"]), st.integers(0, 600), st.integers(0, 80)),
    min_size=1,
    max_size=60,
)


@examples(150)
@given(events=events, skew_ms=st.integers(1, 80), wait_ms=st.integers(0, 150))
def test_a_set_is_never_skewed_nor_older_than_allowed_and_newer_sets_do_not_exist(events, skew_ms, wait_ms):
    streams = aligner(skew_ms)
    arrivals = sorted(events, key=lambda event: event[1] + event[2])
    for name, stamp, delay in arrivals:
        push(streams, stamp + delay, **{name: stamp})
    now_ms = max(stamp + delay for _, stamp, delay in events) + wait_ms
    result = streams.align(now_ms * MS)
    if isinstance(result, Reason):
        assert result.code in (101, 102, 100) and result.text
        return
    chosen = stamps(result)
    assert max(chosen.values()) - min(chosen.values()) <= skew_ms
    assert all(now_ms - chosen[s.name] <= s.max_age_s * 1000 for s in STREAMS)
    assert result.stamp_ns == max(chosen.values()) * MS
    newer = {stamp for name, stamp, _ in events if name != "joints" and stamp > max(chosen.values())}
    for candidate in newer:
        latest = [
            max((s for n, s, _ in events if n == name and s <= candidate), default=-1) for name in chosen
        ]
        assert min(latest) == -1 or candidate - min(latest) > skew_ms
