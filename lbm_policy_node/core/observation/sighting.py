# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""An observation in the making: which samples belong to it is known, its images are not decoded yet."""

from collections.abc import Mapping
from dataclasses import replace

from lbm_policy_node.core.observation.alignment import AlignedSamples
from lbm_policy_node.core.observation.builder import ObservationBuilder
from lbm_policy_node.core.reasons import OK, Reason
from lbm_policy_node.core.types import Array, Observation


class Sighting:
    """What was seen at one instant; becomes an ``Observation`` when an inference asks for it.

    Not thread-safe.

    ::

        messages -> aligned -> Sighting: headers and numbers judged -> build: images decoded -> Observation
                               on every look at the robot              once, when an inference is due
    """

    def __init__(self, aligned: AlignedSamples, builder: ObservationBuilder) -> None:
        """Keep samples that belong together."""
        self._aligned, self._builder = aligned, builder
        self._state: Array | Reason | None = None
        self._built: Observation | Reason | None = None

    @property
    def stamp_ns(self) -> int:
        """Header time that the observation stands for, ns of the ROS clock."""
        return self._aligned.stamp_ns

    @property
    def stream_stamps_ns(self) -> Mapping[str, int]:
        """Stream name to header stamp of the message behind it."""
        return {name: sample.stamp_ns for name, sample in self._aligned.samples.items()}

    def is_of(self, aligned: AlignedSamples) -> bool:
        """Whether it was made of these very samples."""
        return all(self._aligned.samples.get(name) is sample for name, sample in aligned.samples.items())

    def problem(self) -> Reason:
        """Return what is wrong as far as headers and numbers say; OK if nothing is. Decodes no image."""
        if self._state is None:
            reason = self._builder.header_problem(self._aligned.samples)
            self._state = self._builder.state(self._aligned.samples) if reason.ok else reason
        return self._state if isinstance(self._state, Reason) else OK

    def build(self, instruction: str) -> Observation | Reason:
        """Decode the images; the same instruction again returns the very same observation.

        Args:
            instruction: Goes into the observation as it is.

        Returns:
            The observation, or the first thing that is wrong with a sample.
        """
        if self._built is None:
            self._built = self._observation(instruction)
        if isinstance(self._built, Observation) and self._built.instruction != instruction:
            self._built = replace(self._built, instruction=instruction)
        return self._built

    def _observation(self, instruction: str) -> Observation | Reason:
        if not (problem := self.problem()).ok:
            return problem
        images = self._builder.images(self._aligned.samples)
        if isinstance(images, Reason):
            return images
        assert self._state is not None and not isinstance(self._state, Reason)  # no problem
        return Observation(self.stamp_ns, images, self._state, instruction, self.stream_stamps_ns)
