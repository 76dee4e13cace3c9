# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The feature table of a LeRobotDataset v3 (meta/info.json, key "features")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lbm_policy_node.data.video import CODEC, PIXEL_FORMAT

CODEBASE_VERSION = "v3.0"
MODE_KEY = "control_mode"
"""Optional column of integers: who drove each step, -1 demonstration, 0 robot, 1 human."""
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
    """

    vectors: Mapping[str, Sequence[str]]
    cameras: Mapping[str, tuple[int, int]]

    def to_info(self, fps: int) -> dict[str, Any]:
        """Return the table as info.json wants it."""
        table: dict[str, Any] = {
            key: {"dtype": "float32", "shape": [len(names)], "names": list(names)}
            for key, names in self.vectors.items()
        }
        for key, (height, width) in self.cameras.items():
            table[key] = _camera(height, width, fps)
        for key, dtype in BOOKKEEPING.items():
            table[key] = {"dtype": dtype, "shape": [1], "names": None}
        return table

    @classmethod
    def from_info(cls, table: Mapping[str, Any]) -> Features:
        """Read the table of info.json; other columns than float vectors and videos are left out."""
        vectors = {
            key: tuple(entry["names"] or (f"{key}_{i}" for i in range(entry["shape"][0])))
            for key, entry in table.items()
            if entry["dtype"] == "float32" and key not in BOOKKEEPING
        }
        cameras = {
            key: tuple(entry["shape"][:2]) for key, entry in table.items() if entry["dtype"] == "video"
        }
        return cls(vectors=vectors, cameras=cameras)


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
