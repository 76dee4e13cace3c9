# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What nodes published comes back out of a recorded episode, every field of it."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from lbm_msgs.msg import ControlState, EpisodeEvent, MonitorVerdict

from helpers.chunk_strategies import action_chunks
from helpers.differing import assert_same_record, differing_message
from helpers.examples import examples
from helpers.recorded_messages import FIRST_LOG_NS, SPEC, record
from lbm_policy_node.core.execution.arbitration import ControlMode
from lbm_policy_node.core.reasons import ReasonCode
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.data.episodes.episode_records import EventKind
from lbm_policy_node.messages.stamps import to_ns
from lbm_policy_node.ros.conversion import chunk_message


def field_names(kind: type) -> set[str]:
    """The fields of a message, without the header."""
    return set(kind.get_fields_and_field_types()) - {"header"}  # type: ignore[attr-defined]


@examples(25)
@given(st.lists(action_chunks(), min_size=1, max_size=4))
def test_chunks_come_back_from_an_episode_as_they_were(chunks):
    with TemporaryDirectory() as folder:
        messages = [chunk_message(chunk, frame_id="base") for chunk in chunks]
        episode = record(Path(folder) / "e", {"action_chunks": messages})
    assert not episode.broken_chunks
    for number, (chunk, back) in enumerate(zip(chunks, episode.chunks, strict=True)):
        assert_same_record(back.chunk, chunk)
        assert back.log_ns == FIRST_LOG_NS + number


def test_a_verdict_comes_back_with_every_field_of_the_message(tmp_path):
    message = differing_message(MonitorVerdict)
    (back,) = record(tmp_path / "e", {"monitor_verdicts": [message]}).verdicts
    assert back.stamp_ns == to_ns(message.header.stamp)
    assert back.log_ns == FIRST_LOG_NS
    for name in field_names(MonitorVerdict):
        assert getattr(back, name) == getattr(message, name), name


def test_an_event_comes_back_with_every_field_of_the_message(tmp_path):
    message = differing_message(EpisodeEvent)
    message.event = EpisodeEvent.STOP_REQUESTED
    (back,) = record(tmp_path / "e", {"episode_events": [message]}).events
    assert back.stamp_ns == to_ns(message.header.stamp)
    assert back.kind is EventKind.STOP_REQUESTED
    for name in field_names(EpisodeEvent) - {"event"}:
        assert getattr(back, name) == getattr(message, name), name


def test_a_tick_comes_back_with_every_field_of_the_message(tmp_path):
    spec = RobotSpec.load(SPEC)
    message = differing_message(ControlState)
    message.mode, message.action_names = ControlState.HUMAN, list(spec.action_names)
    message.reason.code = int(ReasonCode.OBSERVATION_STALE)
    message.proposed, message.executed = [1.5, 2.5, 3.5, 4.5], [5.5, 6.5, 7.5, 8.5]
    ticks = record(tmp_path / "e", {"control_state": [message]}).ticks
    carried = {
        "mode": ControlMode(ticks.modes[0]) is ControlMode.HUMAN,
        "reason": ticks.reasons[0] == (ReasonCode.OBSERVATION_STALE, message.reason.text),
        "source": ticks.sources[0] == message.source,
        "chunk_id": ticks.chunk_ids[0] == message.chunk_id,
        "action_names": True,  # of the spec, which lies beside the bag
        "proposed": np.array_equal(ticks.proposed[0], [1.5, 2.5, 3.5, 4.5]),
        "executed": np.array_equal(ticks.executed[0], [5.5, 6.5, 7.5, 8.5]),
        "control_enabled": bool(ticks.enabled[0]),
    }
    assert carried == dict.fromkeys(field_names(ControlState), True)
    assert ticks.stamps_ns[0] == to_ns(message.header.stamp)
