# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What the recorder node says about itself: RecorderStatus, and its line on /diagnostics."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from lbm_msgs.msg import RecorderStatus

from lbm_policy_node.core.health import ERROR, WARN, Health
from lbm_policy_node.core.health import OK as LEVEL_OK
from lbm_policy_node.core.reasons import OK, Reason, ReasonCode
from lbm_policy_node.data.bags.recording import Recording
from lbm_policy_node.running.latency import LatencyStatistics

from .. import conversion


@dataclass
class RecorderReport:
    """The present or the last episode.

    Attributes:
        recording: Being written, or the last one; None before the first.
        writing: Whether it is still being written or closed.
        failure: Why the last episode was cut short or could not begin; OK otherwise.
        missing: Streams of the spec without a publisher when it began.
        hand_off: Duration of an image's callback.
    """

    recording: Recording | None = None
    writing: bool = False
    failure: Reason = OK
    missing: Sequence[str] = ()
    hand_off: LatencyStatistics = field(default_factory=LatencyStatistics)

    @property
    def state(self) -> int:
        """A constant of RecorderStatus."""
        if self.writing:
            return RecorderStatus.RECORDING
        return RecorderStatus.IDLE if self.failure.ok else RecorderStatus.ERROR

    @property
    def reason(self) -> Reason:
        """The worst of what there is to say."""
        if not self.failure.ok:
            return self.failure
        if dropped := self._dropped:
            worst = ", ".join(f"{n} of {topic}" for topic, n in sorted(dropped.items(), key=lambda i: -i[1]))
            return Reason(ReasonCode.RECORDING_DROPPED, f"the queue to the disk was full; lost {worst}")
        if self.missing:
            return Reason(ReasonCode.TOPIC_MISSING, f"no publisher of {', '.join(self.missing)}")
        return OK

    def message(self, now_ns: int) -> RecorderStatus:
        """Convert to the status message."""
        message = RecorderStatus(state=self.state, reason=conversion.reason_message(self.reason))
        message.header.stamp = conversion.to_stamp(now_ns)
        if self.recording is not None:
            message.episode_id = self.recording.header.episode_id
            message.path = str(self.recording.path)
            message.elapsed_s = max(0, now_ns - self.recording.header.started_ns) * 1e-9
            message.n_messages = self.recording.n_messages
            message.n_dropped = sum(self._dropped.values())
            message.n_bytes = self.recording.n_bytes
            message.queue_share = self.recording.queue_share
        return message

    def health(self) -> Health:
        """Condense for /diagnostics."""
        level = LEVEL_OK if self.reason.ok else WARN
        if not self.failure.ok:
            level = ERROR
        cost = self.hand_off.summary()
        values: dict[str, object] = {
            "hand_off_median_ms": cost.median_s * 1e3,
            "hand_off_p99_ms": cost.p99_s * 1e3,
        }
        if self.recording is not None:
            values |= {
                "episode_id": self.recording.header.episode_id,
                "n_messages": self.recording.n_messages,
                "n_bytes": self.recording.n_bytes,
                "queue_share": round(self.recording.queue_share, 3),
                "n_dropped": sum(self._dropped.values()),
                **{f"dropped {topic}": n for topic, n in self._dropped.items()},
            }
        words = "recording" if self.writing else "not recording"
        return Health(level, words if self.reason.ok else f"{words}; {self.reason}", values)

    @property
    def _dropped(self) -> dict[str, int]:
        return self.recording.dropped if self.recording is not None else {}
