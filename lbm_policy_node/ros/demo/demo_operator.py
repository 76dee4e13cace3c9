# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The demo's operator as a node: works through a plan and prints what happens for `lbm demo`."""

import json
import signal
import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from lbm_msgs.msg import PolicyStatus, Reason
from rclpy.node import Node

from lbm_policy_node.core.settings import setting
from lbm_policy_node.demo.demo_plan import EVENT_PREFIX, DemoPlan
from lbm_policy_node.ros import qos, topics
from lbm_policy_node.ros.demo.demo_episode import EpisodeRunner
from lbm_policy_node.ros.demo.demo_pictures import EpisodeRecorder
from lbm_policy_node.ros.demo.waiter import Stopped, Waiter
from lbm_policy_node.ros.parameters import declare
from lbm_policy_node.ros.process import run

START_LIMIT_S: Final = 60.0
REFUSALS: Final = (Reason.CHECKPOINT_REFUSED, Reason.SPEC_REFUSED)


@dataclass(frozen=True, kw_only=True)
class OperatorConfig:
    """Parameters of the operator."""

    plan: str = setting("", "File with the plan; see demo_plan.py.")
    camera: str = setting(topics.SIM_FRONT_CAMERA, "Image topic for the pictures.")


def report(event: str, **values: Any) -> None:
    """Print an event."""
    print(EVENT_PREFIX + json.dumps({"event": event, **values}), flush=True)


class DemoOperator(Node):
    """Callbacks only note what they hear; the plan runs in a thread."""

    def __init__(self) -> None:
        super().__init__("demo_operator")
        config = declare(self, OperatorConfig)
        self._plan = DemoPlan.read(Path(config.plan))
        self._waiter = Waiter()
        self._recorder = EpisodeRecorder(self, camera=config.camera, on_change=self._on_change)
        self._runner = EpisodeRunner(self, self._waiter, self._recorder, self._plan)
        self._status: PolicyStatus | None = None
        self._moved = False
        self.create_subscription(PolicyStatus, topics.POLICY_STATUS, self._on_status, qos.STATUS)
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

    def _on_change(self) -> None:
        if not self._moved and self._recorder.n_commands:
            self._moved = True
            report("first_command", boot_time_s=time.clock_gettime(time.CLOCK_BOOTTIME))
        self._waiter.notify()

    def _work(self) -> None:
        try:
            self._waiter.until(self._is_ready, "policy, executor and simulator", timeout_s=START_LIMIT_S)
            report("ready", checkpoint=self._status.checkpoint_id if self._status else "")
            self._run_plan()
        except (TimeoutError, RuntimeError) as error:
            report("failed", text=f"{error}{self._policy_complaint()}")
        except Stopped:
            return
        signal.raise_signal(signal.SIGINT)  # leave as on Ctrl-C

    def _is_ready(self) -> bool:
        status, recorder = self._status, self._recorder
        if status is None:
            return False
        if status.reason.code in REFUSALS:
            raise RuntimeError("the policy node refused to start")
        is_idle = status.state == PolicyStatus.IDLE and status.reason.code == Reason.OK
        return (
            is_idle
            and recorder.control is not None
            and recorder.last_image_ns > 0
            and self._runner.is_ready()
        )

    def _run_plan(self) -> None:
        for number, episode in enumerate(self._plan.episodes):
            report("episode_begins", number=number, task=episode.task)
            result = self._runner.run(
                number,
                episode,
                on_start=lambda instruction: report("episode_started", instruction=instruction),
                on_feedback=self._on_feedback,
            )
            report("episode_done", **asdict(result))

    def _on_feedback(self, feedback: Any) -> None:
        report(
            "progress", elapsed_s=feedback.elapsed_s, chunks=feedback.n_chunks, reason=feedback.reason.text
        )

    def _policy_complaint(self) -> str:
        return f"; policy: {self._status.reason.text}" if self._status and self._status.reason.text else ""


def main() -> None:
    """Run the plan, then leave."""
    sys.exit(run(DemoOperator))


if __name__ == "__main__":
    main()
