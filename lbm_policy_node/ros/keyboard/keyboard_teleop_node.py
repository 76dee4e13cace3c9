# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Teleop by keyboard: plays the gamepad of a robot spec by the keys of a terminal, and shows who drives."""

import signal
import sys
import time
from typing import Any, Final

from lbm_msgs.msg import ControlState, PolicyStatus
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.node import Node
from rclpy.parameter import Parameter

from lbm_policy_node.core.execution.arbitration import ControlMode
from lbm_policy_node.keyboard.key_decoder import KeyDecoder
from lbm_policy_node.keyboard.keyboard import QUIT_KEYS, Keyboard, KeyboardState
from lbm_policy_node.keyboard.terminal import KeyTerminal, TerminalLostError
from lbm_policy_node.ros import qos, topics
from lbm_policy_node.ros.joy_output import JoyOutput, load_joystick
from lbm_policy_node.ros.keyboard.keyboard_teleop_config import KeyboardTeleopConfig
from lbm_policy_node.ros.parameters import declare
from lbm_policy_node.ros.process import run

STATUS_S: Final = 0.2
SILENCE_NS: Final = 1_000_000_000
"""After so long without a ControlState, wall time, it is no longer shown as the present."""
EXIT_NO_TERMINAL: Final = 2


class KeyboardTeleopNode(Node):
    """Keys are timed by the steady clock, as fingers are; the Joy is stamped with ROS time.

    Follows /clock as soon as it is published.
    """

    def __init__(self, terminal: KeyTerminal, **node_arguments: Any) -> None:
        """Connect; a terminal that is read already.

        Raises:
            ParameterError: The spec has no such gamepad.
        """
        super().__init__("keyboard_teleop_node", **node_arguments)
        config = declare(self, KeyboardTeleopConfig)
        spec, self._joystick = load_joystick(config.robot, config.source)
        self._terminal, self._decoder = terminal, KeyDecoder()
        self._keyboard = Keyboard(self._joystick.components, self._joystick.source.buttons)
        self._joy = JoyOutput(self, self._joystick)
        self._control: tuple[int, ControlState] | None = None
        self._policy: PolicyStatus | None = None
        self.create_subscription(ControlState, topics.CONTROL_STATE, self._on_control, qos.CONTROL_STATE)
        self.create_subscription(PolicyStatus, topics.POLICY_STATUS, self._on_policy, qos.STATUS)
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(1.0 / spec.control_rate_hz, self._tick, clock=steady)
        self.create_timer(STATUS_S, self._show, clock=steady)
        self._quitting = False
        for line in (f"{spec.name}, as '{self._joystick.source.name}'", *self._keyboard.key_map()):
            print(line, flush=True)

    def destroy_node(self) -> None:
        """Release the dead-man switch, so that control is handed back on purpose and not lost."""
        self._keyboard.release()
        self._publish(self._keyboard.state(time.monotonic_ns()))
        self._joy.flush()
        super().destroy_node()

    def _tick(self) -> None:
        now_ns = time.monotonic_ns()
        try:
            keys = self._decoder.feed(self._terminal.read())
        except TerminalLostError as error:
            self._quit(str(error))
            return
        for key in keys:
            self._keyboard.press(key, now_ns)
        if any(key in QUIT_KEYS for key in keys):
            self._quit("")
        self._publish(self._keyboard.state(now_ns))

    def _publish(self, state: KeyboardState) -> None:
        twist = state.motion * self._joystick.full_speed
        self._joy.publish(self._joystick.state(twist, dead_man=state.dead_man, pressed=state.pressed))

    def _quit(self, why: str) -> None:
        if self._quitting:
            return
        self._quitting = True
        self._keyboard.release()
        if why:
            self.get_logger().error(why)
        signal.raise_signal(signal.SIGINT)  # leave as on Ctrl-C

    def _show(self) -> None:
        if not self.get_parameter("use_sim_time").value and self.count_publishers(topics.CLOCK):
            self.set_parameters([Parameter("use_sim_time", value=True)])
        held = "HELD" if self._keyboard.state(time.monotonic_ns()).dead_man else "released"
        hand = f"dead-man switch {held}, speed {self._keyboard.speed:.0%}"
        text = f"{hand} | {self._who_drives()} | {self._task()}"
        try:
            self._terminal.status(text)
        except TerminalLostError as error:
            self._quit(str(error))

    def _who_drives(self) -> str:
        if self._control is None or time.monotonic_ns() - self._control[0] > SILENCE_NS:
            return "nothing heard of the chunk executor (same --namespace and --transport?)"
        state = self._control[1]
        by = f" by {state.source}" if state.source else ""
        why = f": {state.reason.text}" if state.reason.text else ""
        return f"{ControlMode(state.mode).name}{by}{why}"

    def _task(self) -> str:
        if self._policy is None:
            return "no policy"
        return f"policy: {self._policy.instruction}" if self._policy.instruction else "policy: no instruction"

    def _on_control(self, message: ControlState) -> None:
        self._control = (time.monotonic_ns(), message)

    def _on_policy(self, message: PolicyStatus) -> None:
        self._policy = message


def main(args: list[str] | None = None) -> int:
    """Run the node as a process until `q`, SIGINT or SIGTERM."""
    try:
        terminal = KeyTerminal()
    except ValueError as error:
        print(f"refused: {error}", file=sys.stderr)
        return EXIT_NO_TERMINAL
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a closed terminal is noticed by reading, and released
    with terminal:
        return run(lambda: KeyboardTeleopNode(terminal), args)


if __name__ == "__main__":
    sys.exit(main())
