# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What exists between configure and cleanup of the recorder node: subscriptions, the rule, the session."""

import time
from collections.abc import Callable
from typing import Any

from lbm_msgs.msg import ControlState, EpisodeEvent, PolicyStatus
from rclpy.node import Node
from rclpy.serialization import deserialize_message

from lbm_policy_node.core.episodes.episode_rule import Decision, EpisodeRule
from lbm_policy_node.core.reasons import OK, Reason, ReasonCode
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.spec.spec_streams import IMAGE_TYPES

from ..message_types import message_class
from .episode_session import OUTCOMES, EpisodeSession
from .recorder_node_config import RUNS, RecorderNodeConfig
from .recorder_report import RecorderReport
from .recorder_topics import RecordedTopic, recorded_topics


class RecorderRuntime:
    """Built whole or not at all; all calls belong to the node's executor thread.

    Messages are taken as bytes and kept as bytes. The few that begin and end an episode are decoded
    beside that; ControlState, at 100 Hz, only while an intervention outlasts the run.
    """

    def __init__(self, node: Node, config: RecorderNodeConfig, on_change: Callable[[], None]) -> None:
        """Load the spec and the message definitions; ``on_change`` is called when the status has changed.

        Raises:
            SpecError: The robot spec is refused.
            UnknownTypeError: A message type has no definition.
            OSError: The folder cannot be made.
        """
        self._node, self._on_change = node, on_change
        robot = RobotSpec.load(config.robot)
        self._topics = recorded_topics(robot, node.resolve_topic_name)
        self._session = EpisodeSession(node, config, robot, self._topics, self._on_wake)
        self._rule = EpisodeRule(follow_runs=config.record == RUNS)
        self._subscriptions: list[Any] = []
        self._reactions: dict[str, Callable[[bytes], None]] = {
            "policy_status": self._on_policy_status,
            "control_state": self._on_control_state,
            "episode_events": self._on_event,
        }

    @property
    def report(self) -> RecorderReport:
        """What there is to say."""
        return self._session.report

    def start(self) -> None:
        """Listen; an episode begins when the rule or the operator says so."""
        self._subscriptions = [self._subscribe(topic) for topic in self._topics]

    def stop(self) -> None:
        """Listen no further; the open episode ends."""
        self._end("the recorder was deactivated")
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        self._subscriptions = []

    def destroy(self) -> None:
        """Wait for the disk and disconnect."""
        self.stop()
        self._session.close()

    def begin(self, instruction: str, *, asked_for: bool) -> Reason:
        """Begin an episode, or say why not."""
        if self._rule.recording:
            assert self.report.recording is not None
            name = self.report.recording.header.episode_id
            return Reason(ReasonCode.ALREADY_RECORDING, f"episode {name} is being recorded; end it first")
        reason = self._session.begin(instruction)
        if reason.ok:
            self._rule.began(asked_for=asked_for)
        self._on_change()
        return reason

    def end(self, outcome: int | None, text: str) -> Reason:
        """End the episode; ``outcome`` is an event of OUTCOMES, or None to leave it as it was reported."""
        if not self._rule.recording:
            return Reason(ReasonCode.NOT_RECORDING, "no episode is being recorded")
        if outcome is not None:
            self._session.say(outcome, text)
        self._end(text or "asked for")
        return OK

    def on_clock_jump(self, text: str) -> None:
        """One bag holds one clock: end the episode; a run that goes on gets a new one."""
        self._follow(self._rule.on_clock_jump(), text)

    def _subscribe(self, topic: RecordedTopic) -> Any:
        receive = self._receiver(topic)
        subscribe = self._node.create_subscription
        return subscribe(message_class(topic.type), topic.name, receive, topic.profile, raw=True)

    def _receiver(self, topic: RecordedTopic) -> Callable[[bytes], None]:
        if topic.role:
            react = self._reactions.get(topic.role)
            return lambda data: self._on_graph_message(topic, data, react)
        return lambda data: self._on_robot_message(topic, data)

    def _on_robot_message(self, topic: RecordedTopic, data: bytes) -> None:
        began = time.perf_counter()
        put = self._session.put_stream if topic.is_stream else self._session.put
        kept = put(topic.name, data)
        if self._session.recording is None:
            return
        if topic.type in IMAGE_TYPES:
            self.report.hand_off.add(time.perf_counter() - began)
        if not kept:
            self._on_drop()

    def _on_graph_message(
        self, topic: RecordedTopic, data: bytes, react: Callable[[bytes], None] | None
    ) -> None:
        self._session.newest[topic.role] = data
        own = topic.role == "episode_events" and _event(data).episode_id  # in the bag since it was said
        if not own and not self._session.put(topic.name, data):
            self._on_drop()
        if react is not None and not own:
            react(data)

    def _on_drop(self) -> None:
        dropped = sum(self.report.recording.dropped.values()) if self.report.recording else 0
        if dropped:  # else the recording has just failed, which its thread is about to say
            self._node.get_logger().warning(str(self.report.reason), throttle_duration_sec=5.0)
        if dropped == 1:
            self._on_change()

    def _on_policy_status(self, data: bytes) -> None:
        status: PolicyStatus = deserialize_message(data, PolicyStatus)
        text = "the policy's run ended"
        if status.reason.code:
            text += f": {status.reason.text}"
        self._follow(self._rule.on_policy_state(status.state), text)
        self._look_who_drives(text)

    def _on_control_state(self, _data: bytes) -> None:
        self._look_who_drives("the policy's run and the operator's intervention ended")

    def _look_who_drives(self, text: str) -> None:
        if not self._rule.needs_mode:
            return
        newest = self._session.newest.get("control_state")
        state = deserialize_message(newest, ControlState) if newest else ControlState()
        self._follow(self._rule.on_mode(state.mode), text)

    def _on_event(self, data: bytes) -> None:
        event = _event(data)
        text = f"requested by {event.source}" if event.source else "requested on episode_events"
        if event.event == EpisodeEvent.START_REQUESTED:
            if self._rule.on_start_request() is Decision.BEGIN:
                self.begin(event.instruction, asked_for=True)
            else:
                self._node.get_logger().warning("asked to start an episode while one is being recorded")
        elif event.event == EpisodeEvent.STOP_REQUESTED:
            self._follow(self._rule.on_stop_request(), text)
        elif event.event in OUTCOMES and self._rule.recording:
            self._session.hear_outcome(event.event)
            self._follow(self._rule.on_outcome(), f"{event.source}: {OUTCOMES[event.event]}")

    def _follow(self, decision: Decision, text: str) -> None:
        if decision in (Decision.END, Decision.BEGIN_NEXT):
            self._end(text)
        if decision in (Decision.BEGIN, Decision.BEGIN_NEXT):
            self.begin("", asked_for=False)

    def _end(self, text: str) -> None:
        if self._rule.recording:
            self._rule.ended()
            self._session.end(text)
            self._on_change()

    def _on_wake(self) -> None:
        reason = self._session.look()
        if not reason.ok:
            self._end(str(reason))
        self._on_change()


def _event(data: bytes) -> EpisodeEvent:
    return deserialize_message(data, EpisodeEvent)
