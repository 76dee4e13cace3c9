# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Offscreen cameras of the simulated robot, with the settings that make a CPU render fast."""

from __future__ import annotations

import atexit
import os
from dataclasses import dataclass

os.environ.setdefault("MUJOCO_GL", "egl")

import mujoco
import numpy as np

from lbm_policy_node.core.types import Array


@dataclass(frozen=True, kw_only=True)
class SceneCamera:
    """A camera fixed in the world: position and target in m, vertical field of view in degrees."""

    position: tuple[float, float, float] = (0.75, 0.15, 0.75)
    target: tuple[float, float, float] = (-0.02, 0.74, 0.12)
    field_of_view_deg: float = 33.0

    def quaternion_wxyz(self) -> Array:
        """Orientation that looks from position to target with the world's z up, MuJoCo's order wxyz."""
        backward = np.subtract(self.position, self.target)
        backward = backward / np.linalg.norm(backward)
        right = np.cross([0.0, 0.0, 1.0], backward)
        right /= np.linalg.norm(right)
        rotation = np.stack([right, np.cross(backward, right), backward], axis=1)
        quaternion = np.zeros(4)
        mujoco.mju_mat2Quat(quaternion, rotation.flatten())
        return quaternion


FRONT = SceneCamera()
_FRONT_SLOT = "corner3"  # a camera of Meta-World's models that we move
_WRIST_SLOT = "gripperPOV"  # already mounted on the hand


class CameraRig:
    """Renders the front and the wrist camera of one model; one offscreen context, to be closed.

    The first picture makes the context, which takes a third of a second: a scene that is never rendered does
        without. Shadows, reflections and multisampling are off: a 128 x 128 image costs about 5 ms on one CPU
        core instead of 100, and the context 64 MiB less.
    """

    names = ("front", "wrist")

    def __init__(self, model: mujoco.MjModel, *, height: int, width: int, front: SceneCamera = FRONT) -> None:
        model.vis.quality.offsamples = 0
        model.vis.quality.shadowsize = 0
        model.vis.global_.offheight = max(model.vis.global_.offheight, height)
        model.vis.global_.offwidth = max(model.vis.global_.offwidth, width)
        camera = model.camera(_FRONT_SLOT).id
        model.cam_pos[camera] = front.position
        model.cam_quat[camera] = front.quaternion_wxyz()
        model.cam_fovy[camera] = front.field_of_view_deg
        self._model, self._height, self._width = model, height, width
        self._renderer: mujoco.Renderer | None = None
        self._slots = dict(zip(self.names, (_FRONT_SLOT, _WRIST_SLOT), strict=True))

    def render(self, data: mujoco.MjData) -> dict[str, Array]:
        """Return an image per camera name, uint8 RGB, shape (height, width, 3)."""
        renderer = self._renderer or self._make_renderer()
        return {name: _render_one(renderer, data, slot) for name, slot in self._slots.items()}

    def _make_renderer(self) -> mujoco.Renderer:
        renderer = self._renderer = mujoco.Renderer(self._model, self._height, self._width)
        atexit.register(renderer.close)  # before EGL itself shuts down, which registered earlier
        return renderer

    def close(self) -> None:
        """Release the offscreen context; another picture makes a new one of the meshes as they are then."""
        if self._renderer is not None:
            atexit.unregister(self._renderer.close)
            self._renderer.close()
            self._renderer = None


def _render_one(renderer: mujoco.Renderer, data: mujoco.MjData, slot: str) -> Array:
    renderer.update_scene(data, camera=slot)
    for flag in (mujoco.mjtRndFlag.mjRND_SHADOW, mujoco.mjtRndFlag.mjRND_REFLECTION):
        renderer.scene.flags[flag] = 0
    return renderer.render()
