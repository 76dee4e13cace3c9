# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Let an observation through only when every part of it is there, fresh, together and well formed."""

import numpy as np

from lbm_policy_node.core.alignment import AlignedSamples, StreamAligner
from lbm_policy_node.core.reasons import Reason, ReasonCode
from lbm_policy_node.core.robot_spec import RobotSpec
from lbm_policy_node.core.samples import Sample
from lbm_policy_node.core.selection import Selector
from lbm_policy_node.core.spec_streams import ImageSpec
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
