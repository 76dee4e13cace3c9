# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The progress detector that a configuration asks for."""

from __future__ import annotations

from lbm_policy_node.monitors.progress.detector import ProgressDetector
from lbm_policy_node.monitors.progress.reward import RewardConfig, RewardDetector
from lbm_policy_node.monitors.progress.vlm import VlmConfig, VlmDetector


def make_progress_detector(config: VlmConfig | RewardConfig) -> ProgressDetector:
    """Make the detector.

    Raises:
        ValueError: A key that the configuration names is not in the environment.
    """
    return VlmDetector(config) if isinstance(config, VlmConfig) else RewardDetector(config)
