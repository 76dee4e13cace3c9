# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The settings of the progress detector that asks a vision-language model."""

from __future__ import annotations

from dataclasses import dataclass

from lbm_policy_node.core.settings import REQUIRED, check_settings, setting
from lbm_policy_node.monitors.progress.endpoint import check_url


@dataclass(frozen=True)
class VlmConfig:
    """Which model is asked, how often, and with what."""

    endpoint: str = setting(
        REQUIRED, "Base address as the OpenAI clients take it, such as http://localhost:8000/v1."
    )
    model: str = setting(REQUIRED, "Name of the model, as the server calls it.")
    api_key_env: str = setting("", "Environment variable with the endpoint's key; empty: no key.")
    timeout_s: float = setting(20.0, "Time for one answer.", unit="s", low=0.01, high=600.0)
    query_period_s: float = setting(
        5.0,
        "Time between two questions, and before the first one of an episode.",
        unit="s",
        low=0.0,
        high=3600.0,
    )
    frame_period_s: float = setting(
        1.0, "Time between two pictures that are kept.", unit="s", low=0.0, high=60.0
    )
    max_frames: int = setting(8, "Pictures per question, the newest ones.", low=1, high=64)
    max_side_px: int = setting(512, "Pictures are shrunk to this side.", unit="px", low=32, high=2048)
    jpeg_quality: int = setting(80, "Quality of the pictures.", low=1, high=95)
    max_tokens: int = setting(600, "Length of an answer.", low=16, high=32_768)
    max_reply_bytes: int = setting(
        262_144, "A longer reply of the server is refused.", unit="bytes", low=256, high=2**24
    )

    def __post_init__(self) -> None:
        check_settings(self)
        check_url(self.endpoint)
        if not self.model:
            raise ValueError("model is empty, expected the name that the server gives the model")
