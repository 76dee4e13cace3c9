# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Spins the nodes of a test in one thread and waits for events, never for time."""

import time
from collections.abc import Callable
from typing import Any

from rclpy.duration import Duration
from rclpy.executors import SingleThreadedExecutor, TimeoutException
from rclpy.node import Node

PATIENCE_S = 60.0
"""How long a condition may stay false before the test fails; no test waits for it when all is well."""

POLL_S = 0.01
"""How often a condition is looked at while no callback is ready."""


class Graph:
    """An executor with a fake robot.

    ``busy`` are callables that say whether a node is computing; ``lock_step`` say whether a node has answered
    the present tick. A tick ends when no node is busy and all have answered.
    """

    def __init__(self, robot: Any) -> None:
        """Start with the robot only."""
        self.robot = robot
        self.executor = SingleThreadedExecutor()
        self.busy: list[Callable[[], bool]] = []
        self.lock_step: list[Callable[[], bool]] = []
        self.newest: Any = None  # what was executed last, to be named when it never ends
        self.add(robot)

    def add(self, node: Node) -> Node:
        """Spin one more node."""
        self.executor.add_node(node)
        return node

    def close(self) -> None:
        """Destroy the nodes."""
        for node in list(self.executor.get_nodes()):
            self.executor.remove_node(node)
            node.destroy_node()
        self.executor.shutdown(timeout_sec=1.0)

    def spin_until(self, condition: Callable[[], Any], what: str) -> None:
        """Execute callbacks until a condition holds, with the clock standing still."""
        assert self.wait(condition, seconds=PATIENCE_S), f"waited {PATIENCE_S} s for {what}"

    def wait(self, condition: Callable[[], Any], *, seconds: float) -> bool:
        """Execute callbacks until a condition holds; False if that takes longer."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                return False
            if not self._execute_one():
                self._execute_one(POLL_S)
        return True

    def settle(self) -> None:
        """Execute callbacks until none is ready and no node is computing."""
        deadline = time.monotonic() + PATIENCE_S
        n_executed = 0
        while (executed := self._execute_one()) or any(busy() for busy in self.busy):
            n_executed += executed or self._execute_one(POLL_S)
            late = time.monotonic() > deadline
            assert not late, (
                f"callbacks did not end within {PATIENCE_S} s: {n_executed}, newest {self.newest}"
            )

    def step(self, ticks: int = 1) -> None:
        """Let the robot tick, each tick handled to its end by every node in this process."""
        for _ in range(ticks):
            self.robot.tick()
            self.spin_until(self._clocks_agree, "the clock to arrive")
            self.spin_until(lambda: all(answered() for answered in self.lock_step), "answers to a tick")
            self.settle()

    def jump(self, seconds: float) -> None:
        """Let the clock jump; ROS timers that it throws back fire again one period later."""
        self.robot.now_ns += round(seconds * 1e9)
        self.robot.tick()
        self.spin_until(self._clocks_agree, "the clock to arrive")
        self.settle()

    def _clocks_agree(self) -> bool:
        followers = [n for n in self.executor.get_nodes() if n.get_parameter("use_sim_time").value]
        return all(n.get_clock().now().nanoseconds == self.robot.now_ns for n in followers)

    def send(self, publisher: Any, message: Any) -> None:
        """Publish, and let every subscriber handle the message."""
        publisher.publish(message)
        assert publisher.wait_for_all_acked(Duration(seconds=PATIENCE_S)), publisher.topic_name
        self.settle()

    def step_until(self, condition: Callable[[], Any], what: str, *, max_ticks: int = 2000) -> int:
        """Tick until a condition holds; returns how many ticks it took."""
        for tick in range(max_ticks):
            if condition():
                return tick
            self.step()
        raise AssertionError(f"{what} did not happen within {max_ticks} ticks")

    def call(self, client: Any, request: Any) -> Any:
        """Call a service of a node and wait for the answer, with the clock standing still."""
        self.spin_until(client.service_is_ready, f"service {client.srv_name}")
        future = client.call_async(request)
        self.spin_until(future.done, f"answer of {client.srv_name}")
        return future.result()

    def _execute_one(self, timeout_s: float = 0.0) -> bool:
        """Execute a callback; False when none gets ready in this time.

        Called with the same time-out again, rclpy goes on with what the last look has found; each new look
        costs milliseconds. Waiting leaves the processor, and the interpreter, to the threads that compute.
        """
        try:
            handler, entity, node = self.executor.wait_for_ready_callbacks(timeout_sec=timeout_s)
        except TimeoutException:
            return False
        self.newest = (node, entity)
        handler()
        handler.result()
        return True
