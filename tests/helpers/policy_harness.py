# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A policy node with the weightless policy beside the fake robot, and what a user sees of it."""

from pathlib import Path
from typing import Any

from lbm_msgs.action import RunPolicy
from lbm_msgs.msg import ActionChunk, PolicyStatus
from lbm_msgs.srv import CancelPolicy, SetInstruction, StartPolicy
from rclpy.action import ActionClient
from rclpy.node import Node
from rclpy.parameter import Parameter

from helpers.fake_robot import SIZE
from helpers.ros_graph import Graph
from lbm_policy_node.policies.checkpoint.features import Feature
from lbm_policy_node.policies.weightless import WeightlessConfig, create_weightless
from lbm_policy_node.ros import qos
from lbm_policy_node.ros.policy.policy_node import PolicyNode
from lbm_policy_node.ros.process import autostart

HORIZON = 16
EXECUTED_STEPS = 4


def make_checkpoint(folder: Path, *, cameras: tuple[str, ...] = ("front", "wrist"), **changes: Any) -> Path:
    """Write a weightless checkpoint that fits the fake robot: it moves in a slow, small sine."""
    inputs = {f"observation.images.{camera}": Feature("VISUAL", (3, SIZE, SIZE)) for camera in cameras}
    values: dict[str, Any] = {
        "input_features": {**inputs, "observation.state": Feature("STATE", (4,))},
        "output_features": {"action": Feature("ACTION", (4,))},
        "hold_state_indices": (0, 1, 2, 3),
        "horizon": HORIZON,
        "n_action_steps": EXECUTED_STEPS,
        "step_s": 0.05,
        "sine_amplitude": 0.05,
        "sine_period_s": 2.0,
    }
    return create_weightless(folder, WeightlessConfig(**{**values, **changes}))


def overrides(**values: Any) -> list[Parameter]:
    """Return parameters for a node in simulated time."""
    return [Parameter(key, value=value) for key, value in {"use_sim_time": True, **values}.items()]


class PolicyUser:
    """Starts runs and watches the policy node's topics."""

    def __init__(self, graph: Graph) -> None:
        """Subscribe."""
        self.graph = graph
        self.statuses: list[PolicyStatus] = []
        self.chunks: list[ActionChunk] = []
        self.node = Node("user")
        self.node.create_subscription(PolicyStatus, "/policy_node/status", self.statuses.append, qos.STATUS)
        self.node.create_subscription(ActionChunk, "/action_chunks", self.chunks.append, qos.CHUNK)
        self._start = self.node.create_client(StartPolicy, "/start_policy")
        self._cancel = self.node.create_client(CancelPolicy, "/cancel_policy")
        self._set = self.node.create_client(SetInstruction, "/set_instruction")
        graph.add(self.node)

    @property
    def status(self) -> PolicyStatus:
        """The newest status."""
        return self.statuses[-1]

    def in_state(self, state: int, code: int | None = None) -> bool:
        """Whether the newest status says this."""
        return bool(self.statuses) and self.status.state == state and code in (None, self.status.reason.code)

    def start(self, instruction: str = "open the door", time_limit_s: float = 0.0) -> Any:
        """Start a run by service."""
        request = StartPolicy.Request(instruction=instruction, time_limit_s=time_limit_s)
        return self.graph.call(self._start, request)

    def cancel(self) -> Any:
        """Cancel the run by service."""
        return self.graph.call(self._cancel, CancelPolicy.Request())

    def set_instruction(self, instruction: str) -> Any:
        """Change the instruction by service."""
        return self.graph.call(self._set, SetInstruction.Request(instruction=instruction))

    def run_until_chunks(self, count: int) -> None:
        """Tick until so many chunks have been published in all."""
        self.graph.step_until(lambda: len(self.chunks) >= count, f"{count} chunks")


class ActionUser:
    """Runs goals through the action."""

    def __init__(self, user: PolicyUser) -> None:
        """Wait for the server."""
        self.graph = user.graph
        self.feedback: list[RunPolicy.Feedback] = []
        self.client = ActionClient(user.node, RunPolicy, "/run_policy")
        self.graph.spin_until(self.client.server_is_ready, "the action server")

    def send(self, instruction: str, time_limit_s: float = 0.0) -> Any:
        """Send a goal; returns its handle."""
        goal = RunPolicy.Goal(instruction=instruction, time_limit_s=time_limit_s)
        return self.wait(self.client.send_goal_async(goal, lambda m: self.feedback.append(m.feedback)))

    def wait(self, future: Any) -> Any:
        """Wait for an answer, with the clock standing still."""
        self.graph.spin_until(future.done, "the action server's answer")
        return future.result()


def add_policy_node(graph: Graph, spec: Path, checkpoint: Path | str, **parameters: Any) -> PolicyNode:
    """Start a policy node in the graph; the graph waits for its inferences in every tick."""
    values = {"robot": str(spec), "checkpoint": str(checkpoint), **parameters}
    node = PolicyNode(parameter_overrides=overrides(**values))
    graph.add(node)
    graph.busy.append(lambda: node.inferring)
    if node.config.autostart:
        autostart(node)
    return node
