# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""How much of a recording may wait for the disk, and when the disk counts as full."""

from dataclasses import dataclass

from lbm_policy_node.core.settings import check_settings, setting

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class RecordingLimits:
    """Bounds of a recording."""

    queue_bytes: int = setting(256 * MEBIBYTE, "Payload waiting for the disk at most.", unit="bytes", low=1)
    queue_messages: int = setting(20_000, "Messages waiting for the disk at most.", low=1, high=10_000_000)
    min_free_bytes: int = setting(
        500 * MEBIBYTE,
        "Recording stops when the disk has less left, while the file can still be finished.",
        unit="bytes",
        low=0,
    )

    def __post_init__(self) -> None:
        check_settings(self)
