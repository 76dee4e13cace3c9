# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Let an observation through only when every part of it is there, fresh, together and well formed."""

from lbm_policy_node.core.observation.alignment import AlignedSamples, StreamAligner
from lbm_policy_node.core.observation.arrivals import Arrivals
from lbm_policy_node.core.observation.builder import ObservationBuilder
from lbm_policy_node.core.observation.measured_stream import (
    CountPublishers,
    MeasuredStream,
    unknown_publishers,
)
from lbm_policy_node.core.observation.samples import LazySample, Sample
from lbm_policy_node.core.observation.sighting import Sighting
from lbm_policy_node.core.reasons import Reason, ReasonCode
from lbm_policy_node.core.spec.robot_spec import RobotSpec


class ObservationGate:
    """Turns stamped samples into sightings, or says why not; nothing is ever filled in.

    The images of one instant arrive one after the other. While another stream's image of the newest instant
    is expected, there is nothing to see yet; no longer than the spec's maximum skew::

        front   |------F------F------F                  F is here
        wrist   |------W------W------.   W is due       look: None until W arrives or max_skew is over

    Recovers by itself when the input is good again. Not thread-safe: call from one thread or under one lock.
    """

    def __init__(self, spec: RobotSpec, publishers: CountPublishers = unknown_publishers) -> None:
        """Start empty.

        Args:
            spec: What an observation is made of.
            publishers: Counts the publishers of a topic, for the text when a stream is not believed.
        """
        self._spec = spec
        self._measured = {
            stream.name: MeasuredStream(
                spec, stream, [s for s in spec.state if s.stream == stream.name], publishers
            )
            for stream in spec.observation_streams
            if not stream.is_image
        }
        self._aligner = StreamAligner(spec.observation_streams, spec.max_skew_ns)
        self._builder = ObservationBuilder(spec)
        self._arrivals: dict[str, Arrivals] = {}
        self._newest: Sighting | None = None

    def expect(self, stream: str, first_ns: int, period_ns: int) -> None:
        """Know a stream's rhythm before its first sample; offline, where the node had heard it before.

        Args:
            stream: A name out of spec.observation_streams.
            first_ns: Header stamp of the sample that will come first.
            period_ns: Time between samples.
        """
        self._arrivals[stream] = Arrivals(first_ns - period_ns, period_ns)

    def push(self, stream: str, stamp_ns: int, value: Sample | LazySample, now_ns: int) -> None:
        """Add what arrived; images are not looked at, joints and poses must be plausible.

        Args:
            stream: A name out of spec.observation_streams.
            stamp_ns: Header stamp.
            value: The sample, decoded or not, or the reason why the message could not be decoded.
            now_ns: The ROS clock on arrival.
        """
        if stream in self._measured:
            taken = self._measured[stream].take(stamp_ns, value, now_ns)
            if taken is None:
                return
            stamp_ns, value = taken
        self._aligner.push(stream, stamp_ns, value, now_ns)
        before = self._arrivals.get(stream)
        self._arrivals[stream] = before.then(stamp_ns) if before else Arrivals(stamp_ns)

    def look(self, now_ns: int) -> Sighting | Reason | None:
        """Return what is seen now, the first thing that is wrong, or None while a better sight is on its way.

        Judges everything but the pixels of images that are not decoded yet: ``Sighting.build`` does that.

        Args:
            now_ns: The ROS clock.
        """
        aligned = self._aligner.align(now_ns)
        for measured in self._measured.values():
            if doubt := measured.doubt(now_ns):
                return doubt
        if isinstance(aligned, Reason):
            return aligned
        sighting = self._sighting(aligned)
        if not (problem := sighting.problem()).ok:
            return self._with_spec_key(problem)
        waiting = now_ns - sighting.stamp_ns < self._spec.max_skew_ns
        if waiting and any(a.expected_by(sighting.stamp_ns) for a in self._arrivals.values()):
            return None
        return sighting

    def restart(self) -> None:
        """Forget the streams' periods after the clock has jumped; the aligner notices by itself."""
        self._arrivals.clear()

    def _sighting(self, aligned: AlignedSamples) -> Sighting:
        """Samples that were seen before are not judged or decoded again."""
        if self._newest is None or not self._newest.is_of(aligned):
            self._newest = Sighting(aligned, self._builder)
        return self._newest

    def _with_spec_key(self, reason: Reason) -> Reason:
        """Name the file and key of the spec that asks for a joint the robot does not publish."""
        if reason.code != ReasonCode.OBSERVATION_WRONG_JOINTS:
            return reason
        keys = [
            f"state[{index}].joints"
            for index, selection in enumerate(self._spec.state)
            if selection.joints and f"'{selection.stream}'" in reason.text
        ]
        return Reason(reason.code, f"{reason.text}; asked for by {', '.join(keys)} of {self._spec.file}")
