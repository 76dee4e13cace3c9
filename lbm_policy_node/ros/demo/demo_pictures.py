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
from lbm_policy_node.messages.image_encoding import decode_raw
from lbm_policy_node.messages.stamps import to_ns
from lbm_policy_node.ros import qos, topics

FRAME_PERIOD_NS: Final = 100_000_000
MOMENTS: Final = 6
"""Pictures kept of an episode, evenly spread over it."""


class EpisodeRecorder:
    """Keeps messages between ``start`` and ``stop``, which any thread may call."""

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
        node.create_subscription(PoseStamped, topics.SIM_EE_POSE, self._on_pose, qos.PROPRIO)
        node.create_subscription(ControlState, topics.CONTROL_STATE, self._on_control, qos.CONTROL_STATE)
        node.create_subscription(ActionChunk, topics.ACTION_CHUNKS, self._on_chunk, qos.CHUNK)

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
    def human_s(self) -> float:
        """ROS time in which the operator drove since ``start``, s."""
        return self._human_ns * 1e-9

    @property
    def inference_ms(self) -> float | None:
        """Median duration of an inference since ``start``, ms; None without one."""
        return float(np.median(self._inference_s)) * 1e3 if self._inference_s else None

    def save(self, path: Path) -> None:
        """Write frames (n, height, width, 3), and the paths and chunks as rows of (seconds, x, y, z)."""
        with self._lock:
            n_moments = min(MOMENTS, len(self._frames))
            chosen = np.linspace(0, len(self._frames) - 1, n_moments).round().astype(int)
            np.savez_compressed(
                path,
                frames=np.array([self._frames[i][1] for i in chosen], np.uint8),
                frame_times_s=self._seconds([self._frames[i][0] for i in chosen]),
                commanded=self._path(self._commanded),
                measured=self._path(self._measured),
                chunks=self._chunk_rows(),
            )

    def _clear(self) -> None:
        self._frames: list[tuple[int, Any]] = []
        self._commanded: list[tuple[int, Array]] = []
        self._measured: list[tuple[int, Array]] = []
        self._chunks: list[tuple[int, float, Array]] = []
        self._inference_s: list[float] = []
        self._human_ns, self._control_ns = 0, 0

    def _seconds(self, stamps_ns: list[int]) -> Array:
        """Times since the first measured position."""
        start_ns = self._measured[0][0] if self._measured else 0
        return (np.array(stamps_ns, np.int64) - start_ns) * 1e-9

    def _path(self, samples: list[tuple[int, Array]]) -> Array:
        times = self._seconds([stamp for stamp, _ in samples])
        return np.column_stack([times, np.array([position for _, position in samples]).reshape(-1, 3)])

    def _chunk_rows(self) -> Array:
        """Return (chunks, horizon, 4): each row's due time and position."""
        chunks = [
            np.column_stack([self._seconds([start_ns]) + np.arange(len(rows)) * step_s, rows])
            for start_ns, step_s, rows in self._chunks
        ]
        return np.array(chunks) if chunks else np.empty((0, 0, 4))

    def _on_image(self, message: Image) -> None:
        self.last_image_ns = to_ns(message.header.stamp)
        with self._lock:
            if self._recording and self._frame_is_due():
                frame = decode_raw(
                    message.data,
                    encoding=message.encoding,
                    height=message.height,
                    width=message.width,
                    step=message.step,
                )
                self._frames.append((self.last_image_ns, frame.copy()))
        self._on_change()

    def _frame_is_due(self) -> bool:
        return not self._frames or self.last_image_ns - self._frames[-1][0] >= FRAME_PERIOD_NS

    def _on_pose(self, message: PoseStamped) -> None:
        with self._lock:
            if self._recording:
                point = message.pose.position
                self._measured.append((to_ns(message.header.stamp), np.array([point.x, point.y, point.z])))
        self._on_change()

    def _on_control(self, message: ControlState) -> None:
        self.control = message
        with self._lock:
            if self._recording:
                self._take_control(message)
        self._on_change()

    def _take_control(self, message: ControlState) -> None:
        stamp_ns = to_ns(message.header.stamp)
        if message.mode == ControlState.HUMAN and self._control_ns:
            self._human_ns += stamp_ns - self._control_ns
        self._control_ns = stamp_ns
        if message.control_enabled and message.executed:
            self._commanded.append((stamp_ns, np.array(message.executed[:3])))

    def _on_chunk(self, message: ActionChunk) -> None:
        with self._lock:
            if self._recording:
                rows = np.reshape(message.actions, (message.horizon, message.action_dim))[:, :3]
                self._chunks.append((to_ns(message.start), message.step_s, rows))
                self._inference_s.append(message.inference_s)
        self._on_change()
