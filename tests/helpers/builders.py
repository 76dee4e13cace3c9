# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Legal action chunks and observations; a test names only the fields that it is about."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lbm_policy_node.core.types import ActionChunk, Array, ImageArray, Observation, no_samples

FRONT, WRIST = "observation.images.front", "observation.images.wrist"
STEP_NS = 50_000_000
ACTION_NAMES = ("x", "y", "z", "gripper")
AT_HOME = np.array([0.0, 0.6, 0.2, -1.0])
"""Where the simulated arm starts, its gripper open."""
HORIZON = 8


def make_chunk(
    actions: ArrayLike | None = None, *, samples: Array | None = None, **fields: Any
) -> ActionChunk:
    """Return a chunk of the simulated arm.

    Args:
        actions: The rows to execute. By default the first sample; the arm stays at home if there is none.
        samples: What the monitor sees, shape (K, horizon, action_dim); none by default.
        **fields: Any other field of the chunk. By default it is the first chunk, its observation is of time
            0, its rows are 50 ms apart, and the first row is due one step after the observation.
    """
    if actions is None:
        actions = np.tile(AT_HOME, (HORIZON, 1)) if samples is None else samples[0]
    rows = np.asarray(actions, dtype=np.float64)
    defaults = {"chunk_id": 1, "observation_stamp_ns": 0, "step_ns": STEP_NS, "action_names": ACTION_NAMES}
    values: dict[str, Any] = {**defaults, **fields}
    values.setdefault("start_ns", values["observation_stamp_ns"] + values["step_ns"])
    drawn = no_samples(*rows.shape) if samples is None else samples
    return ActionChunk(actions=rows, samples=drawn, **values)


def make_observation(**fields: Any) -> Observation:
    """Return an observation of the simulated arm at home: one black camera image, 32 by 32.

    Args:
        **fields: Any field of the observation, in place of the default.
    """
    values: dict[str, Any] = {
        "stamp_ns": 0,
        "images": {FRONT: np.zeros((32, 32, 3), np.uint8)},
        "state": AT_HOME,
        "instruction": "open the door",
    }
    return Observation(**{**values, **fields})


def make_images(keys: Iterable[str], height: int, width: int, *, seed: int = 0) -> dict[str, ImageArray]:
    """Return one image of random colours per feature key."""
    random = np.random.default_rng(seed)
    return {key: random.integers(0, 255, (height, width, 3), dtype=np.uint8) for key in keys}
