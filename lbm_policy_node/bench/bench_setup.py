# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The robot and the policy of the benchmark: two 640x480 cameras at 30 Hz, 100 Hz control, no weights."""

from pathlib import Path

import yaml

from lbm_policy_node.paths import shared_path
from lbm_policy_node.policies.checkpoint.features import Feature
from lbm_policy_node.policies.weightless import WeightlessConfig, create_weightless

HEIGHT, WIDTH = 480, 640
STEP_S = 1.0 / 30.0
CONTROL_RATE_HZ = 100.0


def write_robot(folder: Path) -> Path:
    """Write the simulated robot's spec with the benchmark's topics, image size and rates."""
    spec = yaml.safe_load(shared_path("config/robots/metaworld.yaml").read_text(encoding="utf-8"))
    spec |= {"name": "bench", "step_s": STEP_S, "control_rate_hz": CONTROL_RATE_HZ}
    for name, topic in {
        "front": "front",
        "wrist": "wrist",
        "joints": "joint_states",
        "ee_pose": "ee_pose",
    }.items():
        spec["streams"][name]["topic"] = f"/policy/{topic}"
    for image in spec["images"].values():
        image |= {"height": HEIGHT, "width": WIDTH}
    for block in spec["action"]["blocks"]:
        block["output"]["topic"] = f"/bench{block['output']['topic']}"
    path = folder / "robot.yaml"
    path.write_text(yaml.safe_dump(spec), encoding="utf-8")
    return path


def write_checkpoint(folder: Path) -> Path:
    """Write a policy that repeats the measured state."""
    cameras = {f"observation.images.{n}": Feature("VISUAL", (3, HEIGHT, WIDTH)) for n in ("front", "wrist")}
    config = WeightlessConfig(
        input_features={**cameras, "observation.state": Feature("STATE", (4,))},
        output_features={"action": Feature("ACTION", (4,))},
        hold_state_indices=(0, 1, 2, 3),
        n_action_steps=1,
        step_s=STEP_S,
    )
    return create_weightless(folder / "checkpoint", config)
