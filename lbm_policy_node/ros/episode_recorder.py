# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Keeps what the demo shows of an episode: camera pictures, commanded and measured path, chunks."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
from geometry_msgs.msg import PoseStamped
from lbm_msgs.msg import ActionChunk, ControlState
from rclpy.node import Node
from sensor_msgs.msg import Image

from lbm_policy_node.core.types import Array
from lbm_policy_node.ros import qos
from lbm_policy_node.ros.conversion import to_ns
from lbm_policy_node.ros.image_encoding import decode_raw

FRAME_PERIOD_NS: Final = 100_000_000
MOMENTS: Final = 6
"""Pictures kept of an episode, evenly spread over it."""


class EpisodeRecorder:
    """Subscribes all the time and keeps messages between ``start`` and ``save``; both may be called from any thread."""

    def __init__(self, node: Node, *, camera: str, on_change: Callable[[], None]) -> None:
        """Subscribe.

        Args:
            node: Whose executor delivers the messages.
            camera: Image topic for the pictures.
            on_change: Called after each message.
        """
        self._on_change, self._lock, self._recording = on_change, threading.Lock(), False
        self.last_image_ns = 0
        self.control: ControlState | None = None
        self._clear()
        node.create_subscription(Image, camera, self._on_image, qos.CAMERA)
        node.create_subscription(PoseStamped, "/ee_pose", self._on_pose, qos.PROPRIO)
        node.create_subscription(ControlState, "control_state", self._on_control, qos.CONTROL_STATE)
        node.create_subscription(ActionChunk, "action_chunks", self._on_chunk, qos.CHUNK)

    def start(self) -> None:
        """Forget what was kept and begin a new episode."""
        with self._lock:
            self._clear()
            self._recording = True

    def stop(self) -> None:
        """Keep nothing more."""
        with self._lock:
            self._recording = False

    @property
    def n_chunks(self) -> int:
        """Chunks since ``start``."""
        return len(self._chunks)

    @property
    def n_commands(self) -> int:
        """Commands sent to controllers since ``start``."""
        return len(self._commanded)

    @property
    def inference_ms(self) -> float | None:
        """Median duration of an inference since ``start``, ms; None without one."""
        return float(np.median(self._inference_s)) * 1e3 if self._inference_s else None

    def save(self, path: Path) -> None:
        """Write the episode as arrays: frames (n, height, width, 3), and rows of (seconds, x, y, z) for the paths."""
        with self._lock:
            chosen = np.linspace(0, len(self._frames) - 1, min(MOMENTS, len(self._frames))).round().astype(int)
            np.savez_compressed(
                path,
                frames=np.array([self._frames[i][1] for i in chosen], np.uint8),
                frame_times_s=self._seconds([self._frames[i][0] for i in chosen]),
                commanded=self._path(self._commanded),
                measured=self._path(self._measured),
                chunks=np.array(self._chunks, np.float64).reshape(len(self._chunks), -1, 4),
            )

    def _clear(self) -> None:
        self._frames: list[tuple[int, Any]] = []
        self._commanded: list[tuple[int, Array]] = []
        self._measured: list[tuple[int, Array]] = []
        self._chunks: list[Array] = []
        self._inference_s: list[float] = []
        self._start_ns: int | None = None

    def _seconds(self, stamps_ns: list[int]) -> Array:
        return (np.array(stamps_ns, np.float64) - (self._start_ns or 0)) * 1e-9

    def _path(self, samples: list[tuple[int, Array]]) -> Array:
        times = self._seconds([stamp for stamp, _ in samples])
        return np.column_stack([times, np.array([position for _, position in samples]).reshape(-1, 3)])

    def _on_image(self, message: Image) -> None:
        self.last_image_ns = to_ns(message.header.stamp)
        with self._lock:
            if self._recording and self._frame_is_due():
                size = {"height": message.height, "width": message.width, "step": message.step}
                frame = decode_raw(message.data, encoding=message.encoding, **size)
                self._frames.append((self.last_image_ns, frame.copy()))
        self._on_change()

    def _frame_is_due(self) -> bool:
        return not self._frames or self.last_image_ns - self._frames[-1][0] >= FRAME_PERIOD_NS

    def _on_pose(self, message: PoseStamped) -> None:
        with self._lock:
            if self._recording:
                stamp_ns, point = to_ns(message.header.stamp), message.pose.position
                self._start_ns = stamp_ns if self._start_ns is None else self._start_ns
                self._measured.append((stamp_ns, np.array([point.x, point.y, point.z])))
        self._on_change()

    def _on_control(self, message: ControlState) -> None:
        self.control = message
        with self._lock:
            if self._recording and message.control_enabled and message.executed:
                self._commanded.append((to_ns(message.header.stamp), np.array(message.executed[:3])))
        self._on_change()

    def _on_chunk(self, message: ActionChunk) -> None:
        with self._lock:
            if self._recording:
                rows = np.reshape(message.actions, (message.horizon, message.action_dim))[:, :3]
                due_s = self._seconds([to_ns(message.start)]) + np.arange(message.horizon) * message.step_s
                self._chunks.append(np.column_stack([due_s, rows]))
                self._inference_s.append(message.inference_s)
        self._on_change()
