# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Subscribe to what a spec's teleop sources name, and hand each message on to the takeover of core."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from rclpy.node import Node
from sensor_msgs.msg import Joy

from lbm_policy_node.core.reasons import Reason
from lbm_policy_node.core.spec.teleop_sources import JOY, TeleopSource
from lbm_policy_node.core.takeover.joy_buttons import read_buttons
from lbm_policy_node.core.takeover.takeover import Takeover
from lbm_policy_node.core.takeover.teleop_kind import TeleopKind
from lbm_policy_node.core.takeover.teleop_kinds import teleop_kind
from lbm_policy_node.core.takeover.teleop_lane import BUTTONS, DEAD_MAN, MOTION
from lbm_policy_node.messages.teleop import dead_man_from_message, teleop_stamp_ns

from .. import qos
from ..message_types import message_class

ESTOP = "estop"

OnButton = Callable[[str, str, bool], None]
"""Called with the source's name, what the button is for, and whether it went down; up only for ESTOP."""

_Handler = Callable[[Any, int], None]


class TeleopInputs:
    """One subscription per topic, however many sources share it; a bad message is reported and never raises.

    Attributes:
        received: Messages so far.
        faults: Why the newest message of a source's part could not be used, by source and part.
    """

    def __init__(
        self, node: Node, sources: tuple[TeleopSource, ...], takeover: Takeover, on_button: OnButton
    ) -> None:
        """Subscribe; everything is called in the node's executor thread.

        Raises:
            ValueError: The message type of a source is not installed.
        """
        self._node, self._takeover, self._on_button = node, takeover, on_button
        self.received = 0
        self.faults: dict[tuple[str, str], Reason] = {}
        self._down: dict[str, frozenset[str]] = {}
        routes: dict[tuple[str, str], list[_Handler]] = {}
        for source in sources:
            for topic, handler in self._routes(source):
                routes.setdefault(topic, []).append(handler)
        self._subscriptions = [self._subscribe(*topic, handlers) for topic, handlers in routes.items()]

    def destroy(self) -> None:
        """Unsubscribe."""
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)

    def _routes(self, source: TeleopSource) -> Iterator[tuple[tuple[str, str], _Handler]]:
        """Yield who handles each topic; motion first, so that a press finds the motion beside it."""
        yield (source.topic, source.type), partial(self._on_motion, source, teleop_kind(source.kind))
        yield (source.dead_man.topic, source.dead_man.type), partial(self._on_dead_man, source)
        if source.buttons:
            yield (source.joy_topic, JOY), partial(self._on_buttons, source)

    def _subscribe(self, topic: str, type_name: str, handlers: list[_Handler]) -> Any:
        def receive(message: Any) -> None:
            self.received += 1
            now_ns = self._node.get_clock().now().nanoseconds
            for handle in handlers:
                handle(message, now_ns)

        return self._node.create_subscription(message_class(type_name), topic, receive, qos.TELEOP)

    def _on_motion(self, source: TeleopSource, kind: TeleopKind[Any, Any], message: Any, now_ns: int) -> None:
        sample = kind.read_message(source, message)
        if isinstance(sample, Reason):
            self._unreadable(source, MOTION, sample, now_ns)
            return
        stamp_ns = teleop_stamp_ns(message, source.type, kind.unstamped_types, now_ns)
        self._report(source, MOTION, self._takeover.on_sample(source.name, sample, stamp_ns, now_ns))

    def _on_dead_man(self, source: TeleopSource, message: Any, now_ns: int) -> None:
        pressed = dead_man_from_message(message, source)
        if isinstance(pressed, Reason):
            self._unreadable(source, DEAD_MAN, pressed, now_ns)
            return
        stamp_ns = teleop_stamp_ns(message, source.dead_man.type, (JOY,), now_ns)
        self._report(source, DEAD_MAN, self._takeover.on_dead_man(source.name, pressed, stamp_ns, now_ns))

    def _on_buttons(self, source: TeleopSource, message: Joy, now_ns: int) -> None:
        every = read_buttons(source.buttons, message.buttons, source.joy_topic)
        missing = every if isinstance(every, Reason) else None
        self._takeover.on_readable(source.name, BUTTONS, missing, now_ns)
        self._report(source, BUTTONS, missing)
        # A joystick that lacks one of the buttons must still stop the robot with another.
        down = frozenset(
            name for name, i in source.buttons.items() if i < len(message.buttons) and message.buttons[i]
        )
        self._takeover.on_buttons(source.name, down)
        # What is down in the first message was pressed before this node came up: only a stop counts then.
        before = self._down.get(source.name, down - {ESTOP})
        self._down[source.name] = down
        for button in sorted(down - before):
            self._on_button(source.name, button, True)
        if ESTOP in before - down:
            self._on_button(source.name, ESTOP, False)

    def _unreadable(self, source: TeleopSource, part: str, refused: Reason, now_ns: int) -> None:
        self._takeover.on_readable(source.name, part, refused, now_ns)
        self._report(source, part, refused)

    def _report(self, source: TeleopSource, part: str, refused: Reason | None) -> None:
        if refused is None:
            self.faults.pop((source.name, part), None)
            return
        self.faults[source.name, part] = refused
        text = f"teleop '{source.name}', {part} not used: {refused}"
        self._node.get_logger().warning(text, throttle_duration_sec=1.0)
