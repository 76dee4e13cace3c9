# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The parameters of the monitor node."""

from dataclasses import dataclass

from ..parameters import parameter

NONE, VLM = "none", "vlm"


@dataclass(frozen=True)
class MonitorNodeConfig:
    """See each description; ``ros2 param describe`` shows the same."""

    robot: str = parameter("", "Robot spec: path of a YAML file.")
    checkpoint: str = parameter("", "Checkpoint: path of the policy's folder; its monitor.json is used.")
    calibration: str = parameter("", "Calibration: path of a file; empty: the checkpoint's monitor.json.")
    autostart: bool = parameter(True, "Configure and activate without a lifecycle manager.")
    progress: str = parameter(
        NONE,
        "Detector of missing progress beside the score. vlm: a vision-language model behind an "
        "OpenAI-compatible endpoint, to which pictures are sent.",
        choices=(NONE, VLM),
    )
    progress_url: str = parameter("", "Base address of the endpoint, such as http://localhost:8000/v1.")
    progress_model: str = parameter("", "Name of the model, as the server calls it.")
    progress_key_variable: str = parameter("", "Environment variable with the endpoint's key; empty: no key.")
    progress_stream: str = parameter("", "Image stream of the spec; empty: the first one.")
    progress_period_s: float = parameter(1.0, "Time between two pictures, s.", low=0.05, high=60.0)
    progress_query_s: float = parameter(5.0, "Time between two questions, s.", low=0.05, high=3600.0)
    progress_timeout_s: float = parameter(20.0, "Time for one answer, s.", low=0.1, high=600.0)
