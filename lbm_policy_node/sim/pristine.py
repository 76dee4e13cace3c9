# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A model as it was built, so that what an episode changed in it does not outlive the episode."""

from __future__ import annotations

import mujoco
import numpy as np

from lbm_policy_node.core.types import Array


class PristineModel:
    """Remembers every number of a model; restoring them takes a few milliseconds."""

    def __init__(self, model: mujoco.MjModel) -> None:
        self._model = model
        self._arrays = {name: value.copy() for name, value in _arrays(model).items()}
        headlight = model.vis.headlight
        self._headlight = headlight.ambient.copy(), headlight.diffuse.copy()

    def restore(self) -> bool:
        """Undo all changes; True if meshes were among them, which a renderer has copies of."""
        present = _arrays(self._model)
        meshes_changed = not np.array_equal(present["mesh_vert"], self._arrays["mesh_vert"])
        for name, value in present.items():
            value[...] = self._arrays[name]
        headlight = self._model.vis.headlight
        headlight.ambient[:], headlight.diffuse[:] = self._headlight
        return meshes_changed


def _arrays(model: mujoco.MjModel) -> dict[str, Array]:
    public = (name for name in dir(model) if not name.startswith("_"))
    values = ((name, getattr(model, name)) for name in public)
    return {name: value for name, value in values if isinstance(value, np.ndarray)}
