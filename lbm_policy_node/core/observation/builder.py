# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The images and the state of an observation, made of one sample per stream as the spec says."""

from collections.abc import Mapping

import numpy as np

from lbm_policy_node.core.observation.samples import ImageSize, LazySample, Sample, decoded
from lbm_policy_node.core.observation.selection import Selector
from lbm_policy_node.core.observation.stream_buffer import Stamped
from lbm_policy_node.core.reasons import OK, Reason, ReasonCode
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.spec.spec_streams import ImageSpec
from lbm_policy_node.core.types import Array

Samples = Mapping[str, Stamped]
"""Stream name to sample, one for each of spec.observation_streams."""


class ObservationBuilder:
    """Decodes and checks samples that belong together, the same live and from bags."""

    def __init__(self, spec: RobotSpec) -> None:
        """Read from the spec what an observation is made of."""
        self._images = spec.images
        self._selectors = [(s.stream, Selector(s, spec.streams[s.stream])) for s in spec.state]

    def header_problem(self, samples: Samples) -> Reason:
        """Return what is wrong with an image by its header alone, nothing decoded; OK if nothing is."""
        for image in self._images.values():
            reason = size_problem(image, samples[image.stream].value)
            if not reason.ok:
                return reason
        return OK

    def state(self, samples: Samples) -> Array | Reason:
        """Return the proprio, float32, spec order and units, or the first thing that is wrong with it."""
        parts = []
        for stream, selector in self._selectors:
            values = selector.select(decoded(samples[stream].value))
            if isinstance(values, Reason):
                return values
            parts.append(values)
        return np.concatenate(parts).astype(np.float32)

    def images(self, samples: Samples) -> dict[str, Array] | Reason:
        """Decode the images: feature key to uint8 RGB, or the first thing that is wrong with one."""
        images: dict[str, Array] = {}
        for key, image in self._images.items():
            value = _checked_image(image, decoded(samples[image.stream].value))
            if isinstance(value, Reason):
                return value
            images[key] = value
        return images


def size_problem(spec: ImageSpec, sample: Sample | LazySample) -> Reason:
    """Return what is wrong with an image, by its header alone if it is not decoded yet; OK if nothing is."""
    if not isinstance(sample, LazySample):
        checked = _checked_image(spec, sample)
        return checked if isinstance(checked, Reason) else OK
    size = sample.image_size()
    if isinstance(size, Reason):
        return size
    return OK if size is None else _compare_size(spec, size)


def _checked_image(spec: ImageSpec, value: Sample) -> Array | Reason:
    if isinstance(value, Reason):
        return value
    if not isinstance(value, np.ndarray) or value.dtype != np.uint8 or value.ndim != 3 or value.shape[2] != 3:
        text = f"'{spec.stream}' is not an RGB image of 8 bits per channel"
        return Reason(ReasonCode.OBSERVATION_WRONG_ENCODING, text)
    reason = _compare_size(spec, (value.shape[0], value.shape[1]))
    return value if reason.ok else reason


def _compare_size(spec: ImageSpec, size: ImageSize) -> Reason:
    if size == (spec.height, spec.width):
        return OK
    text = f"'{spec.stream}' is {size[1]}x{size[0]}, {spec.key} needs {spec.width}x{spec.height}"
    return Reason(ReasonCode.OBSERVATION_WRONG_SHAPE, text)
