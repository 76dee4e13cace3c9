# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""How many threads inference may use, for layers that do not import torch themselves."""

from __future__ import annotations


def use_threads(count: int) -> None:
    """Limit torch's threads in this process: several processes on few cores are fastest with one each."""
    import torch

    torch.set_num_threads(count)
