# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Video files of a dataset: encoding one episode, joining several, decoding whole files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from lbm_policy_node.core.types import Array

CODEC, ENCODER = "h264", "libx264"
OPTIONS = {"crf": "18", "g": "2", "bf": "0", "preset": "superfast", "threads": "1"}
"""LeRobot's default is AV1, but as root its encoder (SVT) turns the caller's threads into real-time ones of
the highest priority, which starves everything else on the machine; LeRobot reads both. A key frame at every
second frame makes random access cheap; without frames that look ahead, files can be joined by packets.
Superfast then takes 4.8 ms of CPU for a 640x480 frame at the size and error of veryfast (6.4 ms)."""
PIXEL_FORMAT = "yuv420p"


class VideoWriter:
    """Appends frames to one mp4 file; the file is whole only once closed."""

    def __init__(self, path: Path, *, height: int, width: int, fps: int) -> None:
        if height % 2 or width % 2:
            raise ValueError(f"{PIXEL_FORMAT} video needs even sides, not {height} x {width}")
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path, self.frames = path, 0
        self._container = av.open(str(path), "w")
        self._stream: Any = self._container.add_stream(ENCODER, rate=fps, options=OPTIONS)
        self._stream.height, self._stream.width, self._stream.pix_fmt = height, width, PIXEL_FORMAT
        self._stream.time_base = self._stream.codec_context.time_base = Fraction(1, fps)

    def append(self, frames: Array) -> None:
        """Encode frames, uint8 RGB (T, H, W, 3)."""
        for image in frames:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
            frame.pts = self.frames
            self.frames += 1
            self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Flush the encoder and finish the file."""
        self._container.mux(self._stream.encode(None))
        self._container.close()

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def join_videos(parts: Sequence[Path], path: Path, fps: int) -> None:
    """Make one file of several of `VideoWriter`'s of equal size, in order, without encoding again.

    Args:
        parts: At least one.
        path: The new file; it has reached the disk when this returns.
        fps: Frames per second of each.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    frame = 0
    with av.open(str(path), "w", format="mp4") as joined:
        stream: Any = None
        for part in parts:
            with av.open(str(part)) as source:
                video = source.streams.video[0]
                stream = stream or joined.add_stream_from_template(video)
                for packet in source.demux(video):
                    if packet.size:
                        packet.time_base = Fraction(1, fps)
                        packet.pts, packet.dts, packet.duration = frame, frame, 1
                        packet.stream = stream
                        joined.mux(packet)
                        frame += 1
    with path.open("rb") as file:
        os.fsync(file.fileno())


def read_frames(path: Path) -> Iterator[Array]:
    """Decode a whole file in order, uint8 RGB (H, W, 3) per frame."""
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "NONE"
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="rgb24")
