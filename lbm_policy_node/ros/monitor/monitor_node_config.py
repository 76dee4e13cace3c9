# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The settings of the monitor node."""

from dataclasses import dataclass

from lbm_policy_node.core.settings import same_setting, setting
from lbm_policy_node.monitors.progress.vlm_config import VlmConfig

NONE, VLM = "none", "vlm"


@dataclass(frozen=True)
class MonitorNodeConfig:
    """Which calibration judges the chunks, and what looks for missing progress."""

    robot: str = setting("", "Robot spec: path of a YAML file.")
    checkpoint: str = setting("", "Checkpoint: path of the policy's folder; its monitor.json is used.")
    calibration: str = setting("", "Calibration: path of a file; empty: the checkpoint's monitor.json.")
    autostart: bool = setting(True, "Configure and activate without a lifecycle manager.")
    progress: str = setting(
        NONE,
        "Detector of missing progress beside the score. vlm: a vision-language model behind an "
        "OpenAI-compatible endpoint, to which pictures are sent.",
        choices=(NONE, VLM),
    )
    progress_url: str = same_setting(VlmConfig, "endpoint", default="")
    progress_model: str = same_setting(VlmConfig, "model", default="")
    progress_key_variable: str = same_setting(VlmConfig, "api_key_env")
    progress_stream: str = setting("", "Image stream of the spec; empty: the first one.")
    progress_period_s: float = same_setting(VlmConfig, "frame_period_s", low=0.05)
    progress_query_s: float = same_setting(VlmConfig, "query_period_s", low=0.05)
    progress_timeout_s: float = same_setting(VlmConfig, "timeout_s", low=0.1)
