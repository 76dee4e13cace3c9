# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Disturbances of the camera images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lbm_policy_node.core.types import Array
from lbm_policy_node.sim.perturbations.noise import generator_at
from lbm_policy_node.sim.perturbations.perturbation import Undisturbed

if TYPE_CHECKING:
    from lbm_policy_node.sim.robot import SimulatedRobot


@dataclass(frozen=True)
class CameraNoise(Undisturbed):
    """White noise on each pixel and channel, standard deviation sigma of 255 levels."""

    sigma: float
    seed: int

    def on_images(self, robot: SimulatedRobot, images: dict[str, Array]) -> dict[str, Array]:
        """Add the noise of this tick."""
        return {
            name: _to_pixels(
                image + generator_at(self.seed, robot.ticks, i).normal(0.0, self.sigma, image.shape)
            )
            for i, (name, image) in enumerate(images.items())
        }


@dataclass(frozen=True)
class Occlusion(Undisturbed):
    """A grey patch stands still in front of one camera.

    Attributes:
        camera: Its name.
        top, left: Corner of the patch, as shares of the image.
        size: Height and width of the patch, as a share of the image.
    """

    camera: str
    top: float
    left: float
    size: float

    def on_images(self, robot: SimulatedRobot, images: dict[str, Array]) -> dict[str, Array]:
        """Cover a part of the image."""
        covered = images[self.camera].copy()
        height, width = covered.shape[:2]
        rows = slice(round(self.top * height), round((self.top + self.size) * height))
        columns = slice(round(self.left * width), round((self.left + self.size) * width))
        covered[rows, columns] = 96
        return {**images, self.camera: covered}


@dataclass(frozen=True)
class Tint(Undisturbed):
    """White balance off: one gain per colour channel, the same for all cameras."""

    gains: tuple[float, float, float]

    def on_images(self, robot: SimulatedRobot, images: dict[str, Array]) -> dict[str, Array]:
        """Scale the channels."""
        return {name: _to_pixels(image * np.array(self.gains)) for name, image in images.items()}


def _to_pixels(image: Array) -> Array:
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)
