# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What the language model of pi0 and pi0.5 reads."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BINS = 256


def pi0_prompt(instruction: str) -> str:
    """The instruction and a line break, PaliGemma's sign that the answer starts."""
    return instruction if instruction.endswith("\n") else f"{instruction}\n"


def pi05_prompt(instruction: str, state: NDArray[np.floating]) -> str:
    """The instruction and the state as numbers of bins.

    Args:
        instruction: Line breaks and underscores become spaces.
        state: Normalised, (state_dim,); [-1, 1] is divided into 256 bins, 0 to 255. What lies below is -1.
    """
    text = instruction.strip().replace("_", " ").replace("\n", " ")
    numbers = np.digitize(state, bins=np.linspace(-1, 1, BINS + 1)[:-1]) - 1
    return f"Task: {text}, State: {' '.join(str(number) for number in numbers)};\nAction: "
