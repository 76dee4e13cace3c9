# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""One episode of the demo: reset the simulator, give the instruction, follow the run until it ends."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from lbm_msgs.action import RunPolicy
from lbm_msgs.msg import ControlState, EpisodeEvent, Reason, RecorderStatus
from lbm_msgs.srv import ResetSimulation
from rclpy.action.client import ActionClient
from rclpy.node import Node
from rclpy.task import Future
from std_msgs.msg import Bool

from lbm_policy_node.demo.demo_plan import DemoPlan, Episode, EpisodeResult
from lbm_policy_node.ros import qos, topics
from lbm_policy_node.ros.demo.demo_pictures import EpisodeRecorder
from lbm_policy_node.ros.demo.waiter import Waiter

CALL_LIMIT_S: Final = 30.0
"""Wall time for an answer of the simulator or the policy."""
ATTEMPTS: Final = 3
GOAL_ATTEMPTS: Final = 20
GOAL_PAUSE_NS: Final = 500_000_000
"""Simulated time between two attempts."""
ENDINGS: Final = {
    getattr(RunPolicy.Result, name): name.removeprefix("TERMINATION_").lower().replace("_", " ")
    for name in dir(RunPolicy.Result)
    if name.startswith("TERMINATION_")
}


class EpisodeRunner:
    """Runs episodes; ``run`` blocks and belongs to a thread beside the node's executor.

    ::

        robot at rest - reset - image of the new scene - goal - success or end - cancel - result
    """

    def __init__(self, node: Node, waiter: Waiter, recorder: EpisodeRecorder, plan: DemoPlan) -> None:
        self._waiter, self._recorder, self._plan = waiter, recorder, plan
        self._success, self._recorded = False, ""
        self._recorder_ready = not plan.record
        self._reset = node.create_client(ResetSimulation, topics.SIM_RESET)
        self._runs = ActionClient(node, RunPolicy, topics.RUN_POLICY)
        self._clock = node.get_clock()
        self._events = node.create_publisher(EpisodeEvent, topics.EPISODE_EVENTS, qos.EPISODE_EVENT)
        self._take_over = node.create_publisher(Bool, topics.TAKE_OVER, qos.STATUS)
        node.create_subscription(Bool, topics.SIM_SUCCESS, self._on_success, qos.EVENT)
        node.create_subscription(RecorderStatus, topics.RECORDER_STATUS, self._on_recorder, qos.STATUS)

    def is_ready(self) -> bool:
        """Whether simulator and policy answer, and the recorder listens."""
        return self._recorder_ready and self._reset.service_is_ready() and self._runs.server_is_ready()

    def run(
        self,
        number: int,
        episode: Episode,
        on_start: Callable[[str], None],
        on_feedback: Callable[[Any], None],
    ) -> EpisodeResult:
        """Run one episode and save its recording.

        Args:
            number: Of the episode, for the name of the recording.
            episode: What to do.
            on_start: Called with the instruction when the scene is laid out.
            on_feedback: Called in the executor's thread with RunPolicy.Feedback.

        Raises:
            TimeoutError: An answer did not come.
            RuntimeError: The simulator or the policy refused.
        """
        instruction = self._lay_out(episode)
        on_start(instruction)
        self._recorder.start()
        self._recorded = ""
        ending, seconds = self._follow(episode, instruction, on_feedback)
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
            human_s=self._recorder.human_s,
            bag=self._recorded,
            rescue=episode.rescue,
        )

    def _on_recorder(self, message: RecorderStatus) -> None:
        self._recorder_ready = True
        if message.state == RecorderStatus.RECORDING:
            self._recorded = os.path.relpath(message.path, self._plan.output)
        self._waiter.notify()

    def _on_success(self, message: Bool) -> None:
        self._success = self._success or message.data
        self._waiter.notify()

    def _is_at_rest(self) -> bool:
        control = self._recorder.control
        return control is not None and control.mode == ControlState.HOLD and not control.executed

    def _lay_out(self, episode: Episode) -> str:
        """Reset once the robot rests, so that no old command meets the new scene; return the instruction."""
        self._waiter.until(self._is_at_rest, "rest of the robot", timeout_s=CALL_LIMIT_S)
        request = ResetSimulation.Request(
            task=episode.task, seed=episode.seed, options_json=episode.options_json
        )
        answer = self._ask(lambda: self._reset.call_async(request), "answer to the reset")
        if answer.error_code != Reason.OK:
            raise RuntimeError(f"the simulator refused task '{episode.task}': {answer.error_msg}")
        before_ns, self._success = self._recorder.last_image_ns, False
        self._waiter.until(
            lambda: self._recorder.last_image_ns > before_ns, "image of the new scene", timeout_s=CALL_LIMIT_S
        )
        return answer.instruction

    def _ask(self, ask: Callable[[], Future], what: str) -> Any:
        """Ask, and ask again: a request sent while discovery is under way can get lost without an error."""
        for _ in range(ATTEMPTS - 1):
            with suppress(TimeoutError):
                return self._waiter.result(ask(), what, CALL_LIMIT_S / ATTEMPTS)
        return self._waiter.result(ask(), what, CALL_LIMIT_S / ATTEMPTS)

    def _start(self, episode: Episode, instruction: str, on_feedback: Callable[[Any], None]) -> Any:
        """Give the instruction until it is accepted; the policy refuses goals before it has heard /clock."""
        limit_s = self._plan.time_limit_s if episode.time_limit_s is None else episode.time_limit_s
        goal = RunPolicy.Goal(instruction=instruction, time_limit_s=limit_s)
        for _ in range(GOAL_ATTEMPTS):
            handle = self._ask(
                lambda: self._runs.send_goal_async(goal, lambda message: on_feedback(message.feedback)),
                "answer to the instruction",
            )
            if handle.accepted:
                return handle
            later_ns = self._recorder.last_image_ns + GOAL_PAUSE_NS
            self._waiter.until(
                lambda later_ns=later_ns: self._recorder.last_image_ns > later_ns,
                "image",
                timeout_s=CALL_LIMIT_S,
            )
        raise RuntimeError(f"the policy refused the instruction '{instruction}'")

    def _follow(
        self, episode: Episode, instruction: str, on_feedback: Callable[[Any], None]
    ) -> tuple[str, float]:
        """Give the instruction and wait; return why the run ended and its simulated seconds."""
        handle = self._start(episode, instruction, on_feedback)
        ended = handle.get_result_async()
        ended.add_done_callback(lambda _future: self._waiter.notify())
        self._wait(ended)
        stopped = self._stop_text()
        if episode.rescue and stopped and not self._success:
            return self._be_rescued(ended, stopped)
        if self._success:
            self._report_success()
        elif not ended.done():
            handle.cancel_goal_async()
        result = self._waiter.result(ended, "result of the run", CALL_LIMIT_S).result
        if self._success:
            return "solved", result.elapsed_s
        return (f"stopped by the monitor: {stopped}" if stopped else _ending(result)), result.elapsed_s

    def _wait(self, ended: Future) -> None:
        self._waiter.until(
            lambda: self._success or self._stop_text() or ended.done(),
            "end of the run",
            timeout_s=self._plan.wall_limit_s,
        )

    def _be_rescued(self, ended: Future, stopped: str) -> tuple[str, float]:
        """Ask the scripted operator to take over; its success or failure button ends the run."""
        self._take_over.publish(Bool(data=True))
        result = self._waiter.result(ended, "end of the rescue", self._plan.wall_limit_s).result
        how = "solved by the operator" if self._success else f"not rescued, {_ending(result)}"
        return f"{how}; stopped by the monitor: {stopped}", result.elapsed_s

    def _report_success(self) -> None:
        """Publish the success; the recorder notes it and the policy node ends its run."""
        event = EpisodeEvent(event=EpisodeEvent.SUCCESS, source="simulator")
        event.header.stamp = self._clock.now().to_msg()
        self._events.publish(event)

    def _stop_text(self) -> str:
        """Why the executor holds for the monitor; empty when it does not.

        Before a run has two chunks, such a hold is the last run's: the monitor compares two.
        """
        control = self._recorder.control
        if control is None or self._recorder.n_chunks < 2 or control.reason.code != Reason.MONITOR_STOP:
            return ""
        return control.reason.text


def _ending(result: RunPolicy.Result) -> str:
    text = ENDINGS[result.termination_reason]
    return f"{text}: {result.error_msg}" if result.error_msg else text
