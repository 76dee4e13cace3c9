# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The feature table of a LeRobotDataset v3 (meta/info.json, key "features")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lbm_policy_node.data.datasets.video import CODEC, PIXEL_FORMAT

CODEBASE_VERSION = "v3.0"
MODE_KEY = "control_mode"
"""Optional column of integers: who drove each step, -1 demonstration, 0 robot, 1 human."""
CLASS_KEY = "sirius_class"
"""Optional column of integers: the `StepClass` of each step, as it was derived at export."""
SCALARS = ("bool", "int64", "float32")
BOOKKEEPING = {
    "timestamp": "float32",
    "frame_index": "int64",
    "episode_index": "int64",
    "index": "int64",
    "task_index": "int64",
}


@dataclass(frozen=True, kw_only=True)
class Features:
    """What a dataset holds besides the bookkeeping columns.

    Attributes:
        vectors: Column name to the names of its elements, e.g. {"action": ("x", "y", "z", "gripper")};
            float32.
        cameras: Feature key ("observation.images.front") to (height, width).
        scalars: Column of one number per step to its dtype: "bool", "int64" or "float32".

    Raises:
        ValueError: A name is used twice or taken by the format, or a dtype is not known.
    """

    vectors: Mapping[str, Sequence[str]]
    cameras: Mapping[str, tuple[int, int]]
    scalars: Mapping[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        names = [*self.vectors, *self.cameras, *self.scalars, *BOOKKEEPING]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"features need distinct names; used twice or by the format: {twice}")
        if wrong := {key: kind for key, kind in self.scalars.items() if kind not in SCALARS}:
            raise ValueError(f"columns of one number must be one of {SCALARS}, not {wrong}")

    def to_info(self, fps: int) -> dict[str, Any]:
        """Return the table as info.json holds it."""
        table: dict[str, Any] = {
            key: {"dtype": "float32", "shape": [len(names)], "names": list(names)}
            for key, names in self.vectors.items()
        }
        for key, (height, width) in self.cameras.items():
            table[key] = _camera(height, width, fps)
        for key, dtype in {**self.scalars, **BOOKKEEPING}.items():
            table[key] = {"dtype": dtype, "shape": [1], "names": None}
        return table

    @classmethod
    def from_info(cls, table: Mapping[str, Any]) -> Features:
        """Read the table of info.json; what is neither a number, a float vector nor a video is left out.

        A float column of one number counts as a vector when its element has a name.
        """
        columns = {key: entry for key, entry in table.items() if key not in BOOKKEEPING}
        scalars = {
            key: entry["dtype"]
            for key, entry in columns.items()
            if entry["dtype"] in SCALARS and list(entry["shape"]) == [1] and not entry["names"]
        }
        vectors = {
            key: tuple(entry["names"] or (f"{key}_{i}" for i in range(entry["shape"][0])))
            for key, entry in columns.items()
            if entry["dtype"] == "float32" and key not in scalars
        }
        cameras = {
            key: tuple(entry["shape"][:2]) for key, entry in table.items() if entry["dtype"] == "video"
        }
        return cls(vectors=vectors, cameras=cameras, scalars=scalars)


def _camera(height: int, width: int, fps: int) -> dict[str, Any]:
    info = {
        "video.height": height,
        "video.width": width,
        "video.codec": CODEC,
        "video.pix_fmt": PIXEL_FORMAT,
        "video.is_depth_map": False,
        "video.fps": fps,
        "video.channels": 3,
        "has_audio": False,
    }
    return {
        "dtype": "video",
        "shape": [height, width, 3],
        "names": ["height", "width", "channels"],
        "info": info,
    }
