# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Starts one run of the policy and prints each change of the executor's state.

It does what `ros2 action send_goal` and `ros2 topic echo /control_state` do, where there is no ros2 command.
"""

import argparse

import rclpy
from lbm_msgs.action import RunPolicy
from lbm_msgs.msg import ControlState
from rclpy.action.client import ActionClient
from rclpy.node import Node

MODES = {
    ControlState.HOLD: "HOLD",
    ControlState.POLICY: "POLICY",
    ControlState.HUMAN: "HUMAN",
    ControlState.STOPPED: "STOPPED",
}


class StatePrinter:
    """Prints the mode, the reason and two joints of what is proposed and executed, for each new chunk."""

    def __init__(self, node: Node) -> None:
        """Subscribe to the executor's state."""
        self._shown: tuple[int, str, int] | None = None
        node.create_subscription(ControlState, "control_state", self._on_state, 10)

    def _on_state(self, state: ControlState) -> None:
        now = (state.mode, state.reason.text, state.chunk_id)
        if now != self._shown:
            self._shown = now
            proposed, executed = ([round(v, 3) for v in a[:2]] for a in (state.proposed, state.executed))
            text = f"{MODES[state.mode]:7} chunk {state.chunk_id} proposed {proposed} executed {executed}"
            print(f"{text}  {state.reason.text}", flush=True)


def main() -> None:
    """Send the goal and wait for its result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("instruction")
    parser.add_argument("--time-limit-s", type=float, default=3.0)
    arguments = parser.parse_args()
    rclpy.init()
    node = Node("run_policy_client")
    StatePrinter(node)
    client = ActionClient(node, RunPolicy, "run_policy")
    client.wait_for_server()
    goal = RunPolicy.Goal(instruction=arguments.instruction, time_limit_s=arguments.time_limit_s)
    sent = client.send_goal_async(goal)
    rclpy.spin_until_future_complete(node, sent)
    handle = sent.result()
    if handle is None or not handle.accepted:
        raise SystemExit("the policy node refused the goal")
    ended = handle.get_result_async()
    rclpy.spin_until_future_complete(node, ended)
    answer = ended.result()
    assert answer is not None
    print(
        f"ended: {answer.result.n_chunks} chunks in {answer.result.elapsed_s:.2f} s {answer.result.error_msg}"
    )
    rclpy.try_shutdown()


if __name__ == "__main__":
    main()
