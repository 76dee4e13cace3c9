# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Safetensors files read and written tensor by tensor, for models that fit into memory only once.

The format (a length, a JSON header, raw bytes) is read with plain file reads: a memory map would count every
page of an 8 GB file as this process's memory beside the model.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO

import torch
from torch import Tensor

from lbm_policy_node.policies.checkpoint.errors import CheckpointError

TYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
NAMES = {dtype: name for name, dtype in TYPES.items()}
BLOCK_BYTES = 8 << 20
MAX_HEADER_BYTES = 100_000_000


@dataclass(frozen=True)
class Entry:
    """Where a tensor lies in a file."""

    dtype: torch.dtype
    shape: tuple[int, ...]
    begin: int
    end: int


class TensorReader:
    """A safetensors file of floating-point tensors, open for reading; a context manager."""

    def __init__(self, path: Path) -> None:
        """Open a file and read its header.

        Raises:
            CheckpointError: The file is missing, truncated or damaged, or holds other types of numbers.
        """
        if not path.is_file():
            raise CheckpointError(path, "", "file is missing")
        self.path = path
        self._file: IO[bytes] = path.open("rb", buffering=0)
        try:
            self.entries = self._read_header()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> TensorReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape by name, in the order of the file."""
        return {name: entry.shape for name, entry in self.entries.items()}

    def read(self, name: str, dtype: torch.dtype, device: torch.device | str = "cpu") -> Tensor:
        """Read one tensor in another type, on a device; beside the result only a small block is held.

        Raises:
            CheckpointError: The tensor holds infinite or undefined numbers, or the file ends too early.
        """
        entry = self.entries[name]
        out = torch.empty(entry.shape, dtype=dtype, device=device)
        flat, done = out.view(-1), 0
        for block in self._blocks(name, entry):
            part = flat[done : done + len(block)]
            part.copy_(block)
            if not torch.isfinite(part).all():
                raise CheckpointError(self.path, name, "holds infinite or undefined numbers")
            done += len(block)
        return out

    def _blocks(self, name: str, entry: Entry) -> Iterator[Tensor]:
        size = entry.dtype.itemsize
        self._file.seek(entry.begin)
        left = entry.end - entry.begin
        while left:
            buffer = bytearray(min(left, BLOCK_BYTES // size * size))
            if self._fill(buffer) != len(buffer):
                raise CheckpointError(self.path, name, "the file ends inside this tensor")
            left -= len(buffer)
            yield torch.frombuffer(buffer, dtype=entry.dtype)

    def _fill(self, buffer: bytearray) -> int:
        """Read until the buffer is full; one read may return less."""
        view, done = memoryview(buffer), 0
        while done < len(buffer):
            count = self._file.readinto(view[done:])  # type: ignore[attr-defined]
            if not count:
                break
            done += count
        return done

    def _read_header(self) -> dict[str, Entry]:
        total = self.path.stat().st_size
        length = int.from_bytes(self._file.read(8), "little")
        if total < 8 or not 2 <= length <= min(total - 8, MAX_HEADER_BYTES):
            raise CheckpointError(self.path, "", "is no safetensors file, or it is truncated")
        raw = bytearray(length)
        self._fill(raw)
        try:
            header = json.loads(raw)
            start = 8 + length
            return {
                name: self._entry(name, value, start, total)
                for name, value in header.items()
                if name != "__metadata__"
            }
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            if isinstance(error, CheckpointError):
                raise
            raise CheckpointError(self.path, "", f"has a damaged header ({error})") from error

    def _entry(self, name: str, value: Mapping[str, object], start: int, total: int) -> Entry:
        dtype, shape, offsets = value["dtype"], value["shape"], value["data_offsets"]
        if dtype not in TYPES:
            raise CheckpointError(self.path, name, f"has type {dtype}, expected a floating-point type")
        assert isinstance(shape, list) and isinstance(offsets, list)
        begin, end = (start + int(offset) for offset in offsets)
        count = torch.Size(shape).numel()
        if end - begin != count * TYPES[str(dtype)].itemsize or end > total or begin < start:
            raise CheckpointError(self.path, name, "does not fit into the file: truncated or damaged")
        return Entry(TYPES[str(dtype)], tuple(shape), begin, end)


@dataclass(frozen=True)
class Planned:
    """A tensor that will be written."""

    shape: tuple[int, ...]
    dtype: torch.dtype


def write_stream(path: Path, plan: Mapping[str, Planned], tensors: Iterable[tuple[str, Tensor]]) -> None:
    """Write a file whose tensors come one after another.

    Args:
        path: The file; complete or not there at all.
        plan: Every name with shape and type, in the order in which they come.
        tensors: The tensors, converted to the planned types.

    Raises:
        ValueError: The tensors are not the planned ones.
    """
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    position = 0
    for name, planned in plan.items():
        size = torch.Size(planned.shape).numel() * planned.dtype.itemsize
        offsets = [position, position + size]
        header[name] = {"dtype": NAMES[planned.dtype], "shape": list(planned.shape), "data_offsets": offsets}
        position += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        coming = iter(tensors)
        for name, planned in plan.items():
            found, tensor = next(coming, ("nothing", torch.empty(0)))
            if found != name or tuple(tensor.shape) != planned.shape:
                raise ValueError(f"expected {name} {planned.shape}, got {found} {tuple(tensor.shape)}")
            flat = tensor.detach().reshape(-1)
            for block in flat.split(BLOCK_BYTES // planned.dtype.itemsize):
                ready = block.to("cpu", planned.dtype).contiguous()
                file.write(ready.view(torch.uint8).numpy().data)
    partial.replace(path)
