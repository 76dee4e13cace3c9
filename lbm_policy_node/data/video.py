# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Video files of a dataset: encoding while episodes arrive, decoding whole files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from lbm_policy_node.core.types import Array

CODECS = {
    "h264": ("libx264", "h264", {"crf": "18", "g": "2", "preset": "veryfast"}),
    "av1": ("libsvtav1", "av1", {"crf": "30", "g": "2", "preset": "12"}),
}
PIXEL_FORMAT = "yuv420p"


@contextmanager
def _own_scheduling() -> Iterator[None]:
    """Keep the process's scheduling: the AV1 encoder makes a caller that is root a real-time thread.

    Such a thread (SCHED_FIFO, priority 99), and all that it starts later, would starve everything else on the
    machine. The encoder's own threads are brought back, too.
    """
    policy, parameter, before = os.sched_getscheduler(0), os.sched_getparam(0), _threads()
    try:
        yield
    finally:
        os.sched_setscheduler(0, policy, parameter)
        for thread in _threads() - before:
            with suppress(ProcessLookupError):  # it has ended meanwhile
                os.sched_setscheduler(thread, policy, parameter)


def _threads() -> set[int]:
    return {int(path.name) for path in Path("/proc/self/task").iterdir()}


class VideoWriter:
    """Appends frames to one mp4 file that many episodes share; the file is whole only once closed."""

    def __init__(self, path: Path, *, height: int, width: int, fps: int, codec: str = "h264") -> None:
        if codec not in CODECS:
            raise ValueError(f"unknown codec '{codec}'; known: {', '.join(CODECS)}")
        if height % 2 or width % 2:
            raise ValueError(f"{PIXEL_FORMAT} video needs even sides, not {height} x {width}")
        path.parent.mkdir(parents=True, exist_ok=True)
        encoder, _, options = CODECS[codec]
        self.path, self.codec, self.frames = path, codec, 0
        self._container = av.open(str(path), "w")
        self._stream: Any = self._container.add_stream(encoder, rate=fps, options=options)
        self._stream.height, self._stream.width, self._stream.pix_fmt = height, width, PIXEL_FORMAT
        self._stream.time_base = self._stream.codec_context.time_base = Fraction(1, fps)

    def append(self, frames: Array) -> None:
        """Encode frames, uint8 RGB (T, H, W, 3)."""
        with _own_scheduling():
            self._append(frames)

    def _append(self, frames: Array) -> None:
        for image in frames:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
            frame.pts = self.frames
            self.frames += 1
            self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Flush the encoder and finish the file."""
        with _own_scheduling():
            self._container.mux(self._stream.encode(None))
            self._container.close()

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read_frames(path: Path) -> Iterator[Array]:
    """Decode a whole file in order, uint8 RGB (H, W, 3) per frame."""
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "NONE"
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="rgb24")
