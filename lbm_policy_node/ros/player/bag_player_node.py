# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Plays the sensors of a recorded episode, with /clock, into a graph in shadow mode. Wiring only.

``data.playback`` knows what is due; ``shadow_guard`` refuses a graph that commands a robot.
"""

import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.node import Node
from rosgraph_msgs.msg import Clock as ClockMessage

from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.spec.spec_reader import SpecError
from lbm_policy_node.data.bags.bags import Bag, BagError
from lbm_policy_node.data.bags.playback import Playback, sensor_topics
from lbm_policy_node.data.episodes.episode_header import SPEC_FILE, EpisodeHeader

from .. import qos, topics
from ..conversion import to_stamp
from ..message_types import message_class
from ..parameters import ParameterError, declare
from ..process import run
from .bag_player_config import BagPlayerConfig
from .policy_starter import PolicyStarter
from .shadow_guard import ShadowGuard

PERIOD_S: Final = 0.004
LARGEST_TURN_S: Final = 0.02
"""Wall time that one turn may make up for: a machine that cannot keep up plays slower and skips nothing."""
LOOK_S: Final = 0.25
EXIT_REFUSED: Final = 1


class BagPlayerNode(Node):
    """See the module. Parameters: ``BagPlayerConfig``. Everything runs in the executor's thread.

    Attributes:
        exit_code: Of the process: 0, or 1 when the graph was refused.
        failure: Why it was refused; empty otherwise.
        finished: The episode has been played, or was refused.
    """

    def __init__(self, *, on_finished: Callable[[], None] = lambda: None, **node_arguments: Any) -> None:
        """Open the episode; nothing is published before its topics have subscribers.

        Args:
            on_finished: Called once, when the episode has been played or was refused.
            node_arguments: For rclpy.

        Raises:
            ParameterError: There is no such episode, it cannot be played, or holds unknown types.
        """
        super().__init__("bag_player_node", **node_arguments)
        self.config = config = declare(self, BagPlayerConfig)
        self._on_finished = on_finished
        self.exit_code, self.failure, self.finished, self._playing = 0, "", False, False
        try:
            header, types = self._open(Path(config.episode))
        except (BagError, SpecError) as error:
            raise ParameterError(f"parameter 'episode': {error}") from error
        self._clock = self.create_publisher(ClockMessage, topics.CLOCK, qos.EVENT)
        self._publishers_of = {
            topic: self.create_publisher(kind, topic, qos.PLAYED) for topic, kind in types.items()
        }
        self._guard = ShadowGuard(self, (topics.CLOCK, *types), self._refuse)
        self._starter = PolicyStarter(self, header.instruction if config.run_policy else "")
        self._began = self._turned = self._looked = time.monotonic()
        self.create_timer(PERIOD_S, self._turn, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def destroy_node(self) -> None:
        """Close the bag with the node."""
        self._playback.__exit__()
        super().destroy_node()

    def _open(self, path: Path) -> tuple[EpisodeHeader, dict[str, type]]:
        header, self._spec = EpisodeHeader.read(path), RobotSpec.load(path / SPEC_FILE)
        with Bag(path) as bag:
            types = self._importable(sensor_topics(bag, header, self._spec))
        self._playback = Playback(path, set(types), start_s=self.config.start_s).__enter__()
        return header, types

    def _importable(self, topics: dict[str, str]) -> dict[str, type]:
        """Return topic to class, without those that are not installed if that is asked for."""
        found: dict[str, type] = {}
        unknown: dict[str, str] = {}
        for topic, kind in topics.items():
            try:
                found[topic] = message_class(kind)
            except ValueError:
                unknown[topic] = kind
        text = ", ".join(f"{topic} ({kind})" for topic, kind in sorted(unknown.items()))
        if unknown and not self.config.skip_unknown:
            hint = "install them and source their set-up, or set skip_unknown"
            raise ParameterError(f"the messages of {text} are of types that are not installed: {hint}")
        if unknown:
            self.get_logger().warning(f"left out, because their types are not installed: {text}")
        return found

    def _turn(self) -> None:
        if self.finished:
            return
        now = time.monotonic()
        if now - self._looked >= LOOK_S:
            self._looked = now
            self._guard.look()
        if not self._playing:
            self._wait(now)
        elif self._playback.finished:
            self._end()
        else:
            self._play(min(now - self._turned, LARGEST_TURN_S))
        self._turned = now

    def _wait(self, now: float) -> None:
        """Begin when every stream of the spec is heard and every executor is known to be in shadow mode."""
        streams = [s.topic for s in self._spec.observation_streams if s.topic in self._publishers_of]
        deaf = [topic for topic in streams if not self._publishers_of[topic].get_subscription_count()]
        if not deaf and self._guard.cleared:
            self._playing = not self.finished
            self.get_logger().info(f"playing {self.config.episode} at {self.config.rate:g} of real time")
        elif now - self._began > self.config.wait_s:
            what = f"no subscriber of {deaf}" if deaf else f"no answer from {self._guard.pending()}"
            self._refuse(f"waited {self.config.wait_s:g} s: {what}; is the graph running, in this domain?")

    def _play(self, elapsed_s: float) -> None:
        until_ns = self._playback.now_ns + round(elapsed_s * self.config.rate * 1e9)
        clock_ns = -1
        for played in self._playback.due(until_ns):
            if played.log_ns != clock_ns:
                clock_ns = played.log_ns
                self._clock.publish(ClockMessage(clock=to_stamp(clock_ns)))
            if played.topic:
                self._publishers_of[played.topic].publish(bytes(played.data))
        self._starter.look()

    def _end(self) -> None:
        if self.config.loop:
            self._playback.restart()
        elif self._starter.end():
            self.get_logger().info("the episode has been played")
            self._finish()

    def _refuse(self, why: str) -> None:
        if not self.finished:
            self.failure, self.exit_code = why, EXIT_REFUSED
            self.get_logger().error(f"refused: {why}")
            self._finish()

    def _finish(self) -> None:
        self.finished = True
        self._on_finished()


def main(args: list[str] | None = None) -> int:
    """Play an episode, then leave."""
    leave = partial(signal.raise_signal, signal.SIGINT)  # as on Ctrl-C
    return run(partial(BagPlayerNode, on_finished=leave), args)


if __name__ == "__main__":
    sys.exit(main())
