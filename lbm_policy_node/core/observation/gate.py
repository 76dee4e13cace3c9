# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Let an observation through only when every part of it is there, fresh, together and well formed."""

from dataclasses import dataclass

import numpy as np

from lbm_policy_node.core.observation.alignment import AlignedSamples, StreamAligner
from lbm_policy_node.core.observation.samples import Sample
from lbm_policy_node.core.observation.selection import Selector
from lbm_policy_node.core.reasons import Reason, ReasonCode
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.spec.spec_streams import ImageSpec
from lbm_policy_node.core.types import Array, Observation


class ObservationBuilder:
    """Makes an observation of samples that belong together, the same live and from bags."""

    def __init__(self, spec: RobotSpec) -> None:
        self._images = spec.images
        self._selectors = [(s.stream, Selector(s, spec.streams[s.stream])) for s in spec.state]

    def build(self, aligned: AlignedSamples, instruction: str) -> Observation | Reason:
        """Return the observation, or the first thing that is wrong with a sample.

        Args:
            aligned: A sample of each of spec.observation_streams.
            instruction: Goes into the observation as it is.
        """
        images: dict[str, Array] = {}
        for key, image in self._images.items():
            value = _checked_image(image, aligned.samples[image.stream].value)
            if isinstance(value, Reason):
                return value
            images[key] = value
        state = []
        for stream, selector in self._selectors:
            values = selector.select(aligned.samples[stream].value)
            if isinstance(values, Reason):
                return values
            state.append(values)
        return Observation(
            aligned.stamp_ns,
            images,
            np.concatenate(state).astype(np.float32),
            instruction,
            {name: sample.stamp_ns for name, sample in aligned.samples.items()},
        )


class ObservationGate:
    """Turns stamped samples into observations, or says why not; nothing is ever filled in.

    Recovers by itself when the input is good again. Not thread-safe: call from one thread or under one lock.
    """

    def __init__(self, spec: RobotSpec) -> None:
        self._aligner = StreamAligner(spec.observation_streams, spec.max_skew_ns)
        self._builder = ObservationBuilder(spec)

    def push(self, stream: str, stamp_ns: int, value: Sample, now_ns: int) -> None:
        """Add what arrived.

        Args:
            stream: A name out of spec.observation_streams.
            stamp_ns: Header stamp.
            value: The sample, or the reason why the message could not be decoded.
            now_ns: The ROS clock on arrival.
        """
        self._aligner.push(stream, stamp_ns, value, now_ns)

    def observe(self, now_ns: int, instruction: str) -> Observation | Reason:
        """Return the newest observation, or the first thing that is wrong.

        Args:
            now_ns: The ROS clock.
            instruction: Goes into the observation as it is.
        """
        aligned = self._aligner.align(now_ns)
        if isinstance(aligned, Reason):
            return aligned
        return self._builder.build(aligned, instruction)


def _checked_image(spec: ImageSpec, value: Sample) -> Array | Reason:
    if isinstance(value, Reason):
        return value
    if not isinstance(value, np.ndarray) or value.dtype != np.uint8 or value.ndim != 3 or value.shape[2] != 3:
        text = f"'{spec.stream}' is not an RGB image of 8 bits per channel"
        return Reason(ReasonCode.OBSERVATION_WRONG_ENCODING, text)
    if value.shape[:2] != (spec.height, spec.width):
        size = f"{value.shape[1]}x{value.shape[0]}"
        text = f"'{spec.stream}' is {size}, {spec.key} needs {spec.width}x{spec.height}"
        return Reason(ReasonCode.OBSERVATION_WRONG_SHAPE, text)
    return value


PERIOD_TOLERANCE = 0.1
"""A stream may be this share of its period late and its next sample is still expected."""


@dataclass(frozen=True)
class _Arrivals:
    newest_ns: int
    period_ns: int | None = None

    def then(self, stamp_ns: int) -> "_Arrivals":
        if stamp_ns <= self.newest_ns:
            return _Arrivals(stamp_ns)
        return _Arrivals(stamp_ns, stamp_ns - self.newest_ns)

    def expected_by(self, stamp_ns: int) -> bool:
        if self.newest_ns >= stamp_ns or self.period_ns is None:
            return False
        return self.newest_ns + (1.0 - PERIOD_TOLERANCE) * self.period_ns <= stamp_ns


class ObservationSource:
    """Collects samples and yields observations. All calls belong to the node's executor thread."""

    def __init__(self, spec: RobotSpec) -> None:
        """Start empty."""
        self._spec = spec
        self._gate = ObservationGate(spec)
        self._arrivals: dict[str, _Arrivals] = {}

    def expect(self, stream: str, first_ns: int, period_ns: int) -> None:
        """Know a stream's rhythm before its first sample; offline, where the node had heard it before.

        Args:
            stream: A name out of spec.observation_streams.
            first_ns: Header stamp of the sample that will come first.
            period_ns: Time between samples.
        """
        self._arrivals[stream] = _Arrivals(first_ns - period_ns, period_ns)

    def push(self, stream: str, stamp_ns: int, value: Sample, now_ns: int) -> None:
        """Add a sample; see ``ObservationGate.push``."""
        self._gate.push(stream, stamp_ns, value, now_ns)
        before = self._arrivals.get(stream)
        self._arrivals[stream] = before.then(stamp_ns) if before else _Arrivals(stamp_ns)

    def observe(self, now_ns: int, instruction: str) -> Observation | Reason | None:
        """Return the newest observation, why there is none, or None while a better one is on its way."""
        observation = self._gate.observe(now_ns, instruction)
        if isinstance(observation, Reason):
            return self._with_spec_key(observation)
        waiting = now_ns - observation.stamp_ns < self._spec.max_skew_ns
        if waiting and any(a.expected_by(observation.stamp_ns) for a in self._arrivals.values()):
            return None
        return observation

    def restart(self) -> None:
        """Forget the streams' periods after the clock has jumped; the gate notices by itself."""
        self._arrivals.clear()

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
