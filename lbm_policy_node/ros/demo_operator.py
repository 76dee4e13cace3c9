# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The demo's operator: resets the simulator, gives the policy each instruction, and ends the run on success."""

import json
import signal
import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from lbm_msgs.action import RunPolicy
from lbm_msgs.msg import ControlState, PolicyStatus, Reason
from lbm_msgs.srv import ResetSimulation
from rclpy.action.client import ActionClient
from rclpy.node import Node
from std_msgs.msg import Bool

from lbm_policy_node.demo_plan import EVENT_PREFIX, DemoPlan, Episode, EpisodeResult
from lbm_policy_node.ros import qos
from lbm_policy_node.ros.episode_recorder import EpisodeRecorder
from lbm_policy_node.ros.parameters import declare, parameter
from lbm_policy_node.ros.process import run
from lbm_policy_node.ros.waiter import Stopped, Waiter

START_LIMIT_S: Final = 90.0
CALL_LIMIT_S: Final = 30.0


@dataclass(frozen=True, kw_only=True)
class OperatorConfig:
    """Parameters of the operator."""

    plan: str = parameter("", "File with the plan; see demo_plan.py.")
    camera: str = parameter("/camera/front/image_raw", "Image topic for the pictures.")


def report(event: str, **values: Any) -> None:
    """Print an event for `lbm demo`."""
    print(EVENT_PREFIX + json.dumps({"event": event, **values}), flush=True)


class DemoOperator(Node):
    """Callbacks only note what they hear; the plan runs in a thread."""

    def __init__(self) -> None:
        super().__init__("demo_operator")
        config = declare(self, OperatorConfig)
        self._plan = DemoPlan.read(Path(config.plan))
        self._waiter = Waiter()
        self._recorder = EpisodeRecorder(self, camera=config.camera, on_change=self._on_change)
        self._status: PolicyStatus | None = None
        self._success, self._moved = False, False
        self.create_subscription(PolicyStatus, "policy_node/status", self._on_status, qos.STATUS)
        self.create_subscription(Bool, "/sim/success", self._on_success, qos.EVENT)
        self._reset = self.create_client(ResetSimulation, "/sim/reset")
        self._runs = ActionClient(self, RunPolicy, "run_policy")
        self._thread = threading.Thread(target=self._work, name="plan", daemon=True)
        self._thread.start()

    def destroy_node(self) -> None:
        """End the plan's thread, then the node."""
        self._waiter.stop()
        self._thread.join(timeout=5.0)
        super().destroy_node()

    def _on_status(self, message: PolicyStatus) -> None:
        self._status = message
        self._waiter.notify()

    def _on_success(self, message: Bool) -> None:
        self._success = self._success or message.data
        self._waiter.notify()

    def _on_change(self) -> None:
        if not self._moved and self._recorder.n_commands:
            self._moved = True
            report("first_command", boot_time_s=time.clock_gettime(time.CLOCK_BOOTTIME))
        self._waiter.notify()

    def _work(self) -> None:
        try:
            self._waiter.until(self._is_ready, "policy, executor and simulator", timeout_s=START_LIMIT_S)
            report("ready", checkpoint=self._status.checkpoint_id if self._status else "")
            for number, episode in enumerate(self._plan.episodes):
                report("episode_done", **asdict(self._run_episode(number, episode)))
        except (TimeoutError, RuntimeError) as error:
            report("failed", text=f"{error}{self._policy_complaint()}")
        except Stopped:
            return
        signal.raise_signal(signal.SIGINT)  # the plan is done: leave as on Ctrl-C

    def _is_ready(self) -> bool:
        status = self._status
        if status is not None and status.reason.code in (Reason.CHECKPOINT_REFUSED, Reason.SPEC_REFUSED):
            raise RuntimeError("the policy node refused to start")
        return (
            status is not None
            and status.state == PolicyStatus.IDLE
            and status.reason.code == Reason.OK
            and self._recorder.control is not None
            and self._recorder.last_image_ns > 0
            and self._reset.service_is_ready()
            and self._runs.server_is_ready()
        )

    def _policy_complaint(self) -> str:
        return f"; policy: {self._status.reason.text}" if self._status and self._status.reason.text else ""

    def _is_at_rest(self) -> bool:
        control = self._recorder.control
        return control is not None and control.mode == ControlState.HOLD and not control.executed

    def _run_episode(self, number: int, episode: Episode) -> EpisodeResult:
        instruction = self._lay_out(episode)
        report("episode_started", number=number, task=episode.task, instruction=instruction)
        self._recorder.start()
        ending, seconds = self._follow(instruction)
        self._recorder.stop()
        recording = f"episode_{number:03d}_{episode.task}.npz"
        self._recorder.save(Path(self._plan.output) / recording)
        return EpisodeResult(
            task=episode.task,
            seed=episode.seed,
            instruction=instruction,
            solved=self._success,
            seconds=seconds,
            chunks=self._recorder.n_chunks,
            inference_ms=self._recorder.inference_ms,
            commands=self._recorder.n_commands,
            ending=ending,
            recording=recording,
        )

    def _lay_out(self, episode: Episode) -> str:
        """Reset the simulator once the robot rests, so that no old command meets the new scene; return the instruction."""
        self._waiter.until(self._is_at_rest, "rest of the robot", timeout_s=CALL_LIMIT_S)
        request = ResetSimulation.Request(
            task=episode.task, seed=episode.seed, options_json=episode.options_json
        )
        answer = self._waiter.result(self._reset.call_async(request), "answer to the reset", timeout_s=CALL_LIMIT_S)
        if answer.error_code != Reason.OK:
            raise RuntimeError(f"the simulator refused task '{episode.task}': {answer.error_msg}")
        before_ns, self._success = self._recorder.last_image_ns, False
        self._waiter.until(
            lambda: self._recorder.last_image_ns > before_ns, "image of the new scene", timeout_s=CALL_LIMIT_S
        )
        return answer.instruction

    def _follow(self, instruction: str) -> tuple[str, float]:
        """Give the instruction and wait for success or the end; return why it ended, and the simulated seconds."""
        goal = RunPolicy.Goal(instruction=instruction, time_limit_s=self._plan.time_limit_s)
        handle = self._waiter.result(
            self._runs.send_goal_async(goal, feedback_callback=self._on_feedback), "answer", timeout_s=CALL_LIMIT_S
        )
        if not handle.accepted:
            raise RuntimeError(f"the policy refused the instruction '{instruction}'")
        ended = handle.get_result_async()
        ended.add_done_callback(lambda _future: self._waiter.notify())
        limit_s = self._plan.wall_limit_s
        self._waiter.until(lambda: self._success or ended.done(), "end of the run", timeout_s=limit_s)
        if self._success and not ended.done():
            handle.cancel_goal_async()
        result = self._waiter.result(ended, "result of the run", timeout_s=CALL_LIMIT_S).result
        return "solved" if self._success else _ending(result), result.elapsed_s

    def _on_feedback(self, message: Any) -> None:
        feedback = message.feedback
        values = {"elapsed_s": feedback.elapsed_s, "chunks": feedback.n_chunks, "reason": feedback.reason.text}
        report("progress", **values)


def _ending(result: RunPolicy.Result) -> str:
    constants = {name: getattr(RunPolicy.Result, name) for name in dir(RunPolicy.Result) if name.startswith("TERMIN")}
    names = [name for name, value in constants.items() if value == result.termination_reason]
    text = names[0].removeprefix("TERMINATION_").lower().replace("_", " ") if names else "unknown"
    return f"{text}: {result.error_msg}" if result.error_msg else text


def main() -> None:
    """Run the plan, then leave."""
    sys.exit(run(DemoOperator))


if __name__ == "__main__":
    main()
