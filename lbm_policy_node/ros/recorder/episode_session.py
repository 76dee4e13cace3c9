# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Begins and ends episodes: header, files, and the events STARTED and ENDED, which are in the bag too."""

from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Final

from lbm_msgs.msg import EpisodeEvent, MonitorVerdict, PolicyStatus
from rclpy.node import Node
from rclpy.serialization import deserialize_message, serialize_message

from lbm_policy_node import __version__
from lbm_policy_node.core.reasons import OK, Reason, ReasonCode
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.data.bags.message_queue import RawMessage
from lbm_policy_node.data.bags.message_types import MessageTypes
from lbm_policy_node.data.bags.pre_roll import PreRoll
from lbm_policy_node.data.bags.recording import Recording, new_episode_id, reason_of
from lbm_policy_node.data.episodes.episode_header import EpisodeHeader

from .. import conversion, qos
from ..topics import EPISODE_EVENTS
from .offered_qos import offered_qos
from .recorder_node_config import RecorderNodeConfig
from .recorder_report import RecorderReport
from .recorder_topics import RecordedTopic

OUTCOMES: Final = {
    EpisodeEvent.SUCCESS: "SUCCESS",
    EpisodeEvent.FAILURE: "FAILURE",
    EpisodeEvent.DISCARDED: "DISCARDED",
}
CLOSE_S: Final = 5.0
"""How long a node that leaves waits for the disk; the supervisor gives it 6 s."""


class EpisodeSession:
    """At most one episode is open; those before it may still be on their way to the disk.

    All calls belong to the node's executor thread.

    Attributes:
        report: What there is to say.
        recording: The open episode, or None.
        newest: Role (episode_header.ROLES) to the newest message of it, CDR bytes.
    """

    def __init__(
        self,
        node: Node,
        config: RecorderNodeConfig,
        robot: RobotSpec,
        topics: Sequence[RecordedTopic],
        on_wake: Callable[[], None],
    ) -> None:
        """Find the definitions of all messages; ``on_wake`` is called after a recording has something to say.

        Raises:
            UnknownTypeError: A message type has no definition, so the bag could not be read again.
            ValueError: The folder is none.
            OSError: The spec cannot be read, or the folder cannot be made.
        """
        self._node, self._folder, self._robot, self._topics = node, Path(config.folder), robot, topics
        self._limits, self._calibration_id = config.limits, config.calibration_id
        self._spec_text = Path(robot.file).read_text(encoding="utf-8")
        self._types = MessageTypes()
        for topic in topics:
            self._types.definition(topic.type)
        if self._folder.exists() and not self._folder.is_dir():
            raise ValueError(f"folder is '{config.folder}', a file; expected a folder for episodes")
        self._folder.mkdir(parents=True, exist_ok=True)
        self._events_topic = next(topic.name for topic in topics if topic.role == "episode_events")
        self._events = node.create_publisher(EpisodeEvent, EPISODE_EVENTS, qos.EPISODE_EVENT)
        self._pre_roll = PreRoll(
            length_ns=round(config.pre_roll_s * 1e9), max_bytes=self._limits.queue_bytes // 4
        )
        self._woken = node.create_guard_condition(on_wake)
        self._closing: list[Recording] = []
        self._outcome, self._last_ns = "UNKNOWN", 0
        self.newest: dict[str, bytes] = {}
        self.recording: Recording | None = None
        self.report = RecorderReport()

    def begin(self, instruction: str) -> Reason:
        """Open an episode, or say why not; an empty instruction means the running goal's."""
        now_ns = self._now_ns()
        if now_ns == 0:
            return Reason(ReasonCode.NOT_ACTIVE, "use_sim_time is set and no /clock has arrived yet")
        header = self._header(now_ns, instruction)
        topics = {topic.name: topic.type for topic in self._topics}
        try:
            self.recording = Recording(
                self._folder.absolute(),
                header,
                self._spec_text,
                topics,
                types=self._types,
                limits=self._limits,
                wake=self._woken.trigger,
                qos={topic: offered_qos(self._node, topic) for topic in topics},
            )
        except OSError as error:
            self.report.failure = reason_of(error)
            self._node.get_logger().error(f"no episode: {self.report.failure}")
            return self.report.failure
        self._outcome, self._last_ns = "UNKNOWN", now_ns
        missing = [t.name for t in self._topics if t.is_stream and not self._node.count_publishers(t.name)]
        self.report.recording, self.report.writing = self.recording, True
        self.report.failure, self.report.missing = OK, missing
        for message in self._pre_roll.messages(now_ns):
            self.recording.put(*message)
        self._write_latched(now_ns)
        self.say(EpisodeEvent.STARTED)
        self._node.get_logger().info(f"recording {self.recording.path}")
        if missing:
            self._node.get_logger().warning(str(self.report.reason))
        return OK

    def end(self, text: str) -> None:
        """Close the open episode; the disk may take a while."""
        recording = self.recording
        assert recording is not None
        self.say(EpisodeEvent.ENDED, text)
        self.recording = None
        recording.finish({"outcome": self._outcome, "ended": text})
        self._closing.append(recording)
        self.look()  # a recording that has failed does not call again

    def put(self, topic: str, data: bytes) -> bool:
        """Hand a message to the open episode, stamped with now; False when it was dropped."""
        return self.recording is None or self.recording.put(topic, self._arrival_ns(), data)

    def put_stream(self, topic: str, data: bytes) -> bool:
        """Do the same with a message of the robot's streams, and remember it for the next episode."""
        self._pre_roll.push(RawMessage(topic, self._now_ns(), data))
        return self.put(topic, data)

    def hear_outcome(self, event: int) -> None:
        """Note the last report of success or failure; a discarded episode stays discarded."""
        if self._outcome != OUTCOMES[EpisodeEvent.DISCARDED]:
            self._outcome = OUTCOMES[event]

    def say(self, event: int, text: str = "") -> None:
        """Publish a fact about the open episode and write it into the bag."""
        assert self.recording is not None
        if event in OUTCOMES:
            self.hear_outcome(event)
        header = self.recording.header
        message = EpisodeEvent(
            episode_id=header.episode_id,
            event=event,
            instruction=header.instruction,
            checkpoint_id=header.checkpoint_id,
            source=self._node.get_name(),
            text=text,
        )
        message.header.stamp = conversion.to_stamp(self._arrival_ns())
        self.put(self._events_topic, serialize_message(message))
        self._events.publish(message)

    def look(self) -> Reason:
        """Take what the threads have to say; returns why the open episode cannot go on, or OK."""
        for recording in [r for r in self._closing if r.done]:
            self._closing.remove(recording)
            self._log_closed(recording)
        self.report.writing = bool(self._closing) or self.recording is not None
        if self.recording is None or self.recording.reason.ok:
            return OK
        self._note_failure(self.recording.reason)
        return self.recording.reason

    def close(self) -> None:
        """Wait, not long, for the disk, and disconnect; no episode may be open."""
        for recording in self._closing:
            if not recording.wait(CLOSE_S):
                self._node.get_logger().error(f"left unfinished: {recording.path}; run: lbm episodes repair")
        self.look()
        if not self._closing:  # else a thread may still wake this node
            self._node.destroy_guard_condition(self._woken)
        self._node.destroy_publisher(self._events)

    def _now_ns(self) -> int:
        return self._node.get_clock().now().nanoseconds

    def _arrival_ns(self) -> int:
        """Now; a clock that goes back ends the episode, whose last words keep the time before that."""
        self._last_ns = max(self._last_ns, self._now_ns())
        return self._last_ns

    def _header(self, now_ns: int, instruction: str) -> EpisodeHeader:
        status, verdict = self.newest.get("policy_status"), self.newest.get("monitor_verdicts")
        policy = deserialize_message(status, PolicyStatus) if status else PolicyStatus()
        monitor = deserialize_message(verdict, MonitorVerdict) if verdict else MonitorVerdict()
        return EpisodeHeader(
            episode_id=new_episode_id(),
            started_at=datetime.now(timezone.utc).astimezone().isoformat(timespec="milliseconds"),
            started_ns=now_ns,
            instruction=instruction or policy.instruction,
            robot=self._robot.name,
            roles={topic.role: topic.name for topic in self._topics if topic.role},
            checkpoint_id=policy.checkpoint_id,
            calibration_id=monitor.calibration_id or self._calibration_id,
            software_version=__version__,
        )

    def _write_latched(self, now_ns: int) -> None:
        """The state at the beginning, which was published before it."""
        for topic in self._topics:
            if topic.profile is qos.RECORDED_STATUS and topic.role in self.newest:
                assert self.recording is not None
                self.recording.put(topic.name, now_ns, self.newest[topic.role])

    def _note_failure(self, reason: Reason) -> None:
        if self.report.failure != reason:
            self.report.failure = reason
            self._node.get_logger().error(f"recording stops, the robot goes on: {reason}")

    def _log_closed(self, recording: Recording) -> None:
        if recording.failed:
            self._note_failure(recording.reason)
            return
        figures = f"{recording.n_messages} messages, {recording.n_bytes / 1e6:.1f} MB"
        self._node.get_logger().info(f"closed {recording.path}: {figures}")
        if recording.dropped:
            self._node.get_logger().warning(f"lost because the queue was full: {recording.dropped}")
