# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The settings of the policy node."""

from dataclasses import dataclass

from lbm_policy_node.core.settings import setting
from lbm_policy_node.running.schedule import Mode


@dataclass(frozen=True)
class PolicyNodeConfig:
    """What the policy node loads, and when and how it asks the policy."""

    robot: str = setting("", "Robot spec: path of a YAML file.")
    checkpoint: str = setting(
        "", "Checkpoint: path of a folder in LeRobot's format, or ws://host:port of a policy server."
    )
    device: str = setting("cpu", "Where the policy computes: cpu, cuda or cuda:N.")
    threads: int = setting(
        1, "CPU threads of the policy; more only pay on cores that nothing else uses.", low=1, high=256
    )
    tokenizer: str = setting("", "Tokenizer folder, for checkpoints that hold only a tokenizer's name.")
    autostart: bool = setting(True, "Configure and activate without a lifecycle manager.")
    schedule: str = setting(
        Mode.CHUNK_END.value,
        "When the next inference is due: after replan_steps rows, as soon as possible, or at rate_hz.",
        choices=tuple(mode.value for mode in Mode),
    )
    replan_steps: int = setting(
        0,
        "Rows executed before the next chunk takes over; 0: the checkpoint's n_action_steps.",
        low=0,
        high=1000,
    )
    rate_hz: float = setting(
        5.0, "Inferences per second of ROS time with fixed_rate.", unit="Hz", low=0.01, high=1000.0
    )
    n_samples: int = setting(1, "Chunks drawn per inference; the monitor compares them.", low=1, high=256)
    send_embedding: bool = setting(
        False, "Send the policy's embedding of the observation along, for the monitor's ood_flow score."
    )
    seed: int = setting(0, "Seed of the noise; the chunk id is added.", low=0, high=2**53)
    max_failures: int = setting(10, "Failed inferences in a row that end the goal.", low=1, high=1000)
    success_topic: str = setting("", "std_msgs/Bool topic on which true ends the goal as succeeded.")
    monitor_stop_window_s: float = setting(
        30.0,
        "How long after a stop by the monitor a takeover or resume saves the goal; then it ends.",
        unit="s",
        low=0.0,
        high=86400.0,
    )
