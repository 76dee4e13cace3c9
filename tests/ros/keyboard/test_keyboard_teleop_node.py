# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""`lbm teleop` in a pseudo-terminal, heard through real topics."""

import fcntl
import os
import select
import signal
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from lbm_msgs.msg import ControlState, PolicyStatus
from rclpy.node import Node
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Joy

from helpers.places import ROOT
from helpers.ros_graph import PATIENCE_S, Graph
from lbm_policy_node.keyboard.terminal import KeyTerminal
from lbm_policy_node.messages.stamps import to_ns
from lbm_policy_node.ros import qos
from lbm_policy_node.ros.conversion import to_stamp

TELEOP = [sys.executable, "-m", "lbm_policy_node.cli.main", "teleop", "--robot", "metaworld"]
DEAD_MAN, CLOSE, ESTOP, X_AXIS = 4, 0, 1, 1
WIDTH = 200


class Session:
    """The operator at a terminal with `lbm teleop` in it, and who plays executor and policy."""

    def __init__(self, *arguments: str) -> None:
        self.joys: list[Joy] = []
        self.shown = ""
        self.graph = Graph(Node("desk"))
        self.node = self.graph.robot
        self.node.create_subscription(Joy, "/joy", self.joys.append, qos.EVENT)
        self.control = self.node.create_publisher(ControlState, "/control_state", qos.CONTROL_STATE)
        self.policy = self.node.create_publisher(PolicyStatus, "/policy_node/status", qos.STATUS)
        self._master, slave = os.openpty()
        fcntl.ioctl(
            slave, termios.TIOCSWINSZ, (40).to_bytes(2, "little") + WIDTH.to_bytes(2, "little") + bytes(4)
        )
        self.slave = slave
        self.before = termios.tcgetattr(slave)
        self.process = subprocess.Popen(
            [*TELEOP, *arguments], stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
            env=os.environ | {"PYTHONPATH": str(ROOT)}, cwd=ROOT,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )  # fmt: skip

    def until(self, condition: Callable[[], Any], what: str) -> None:
        """Spin and read the terminal until a condition holds."""
        found = self.graph.wait(lambda: (self._read(), condition())[1], seconds=PATIENCE_S)
        assert found, f"waited {PATIENCE_S} s for {what}; shown: {self.shown[-600:]!r}"

    def type_until(self, keys: bytes, condition: Callable[[], Any], what: str) -> None:
        """Repeat keys, as a terminal does while they are held, until a condition holds."""

        def pressed() -> bool:
            os.write(self._master, keys)
            return bool(condition())

        self.until(pressed, what)

    def newest(self, condition: Callable[[Joy], Any]) -> bool:
        return bool(self.joys) and bool(condition(self.joys[-1]))

    def started(self) -> "Session":
        self.until(lambda: self.joys, "the first Joy")
        return self

    def hang_up(self) -> None:
        """Close the terminal's other end, as a lost connection does."""
        os.close(self.slave)
        os.close(self._master)
        self.slave = self._master = -1

    def end(self) -> int:
        self.until(lambda: self.process.poll() is not None, "the end of the process")
        return self.process.wait()

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for descriptor in (self.slave, self._master):
            if descriptor >= 0:
                os.close(descriptor)
        self.graph.close()

    def _read(self) -> None:
        while self._master >= 0 and select.select([self._master], [], [], 0.0)[0]:
            self.shown += os.read(self._master, 4096).decode()


@pytest.fixture
def sessions(ros: None) -> Iterator[Any]:
    made: list[Session] = []

    def make(*arguments: str) -> Session:
        made.append(Session(*arguments))
        return made[-1]

    yield make
    for session in made:
        session.close()


def held(joy: Joy) -> int:
    return joy.buttons[DEAD_MAN]


def test_held_key_drives_and_letting_go_releases(sessions):
    session = sessions().started()
    assert not held(session.joys[0]) and not any(session.joys[0].axes)
    session.type_until(b"w", lambda: session.newest(lambda j: held(j) and j.axes[X_AXIS] > 0.5), "motion")
    session.until(lambda: session.newest(lambda j: not held(j) and not any(j.axes)), "the release")
    session.type_until(
        b"s", lambda: session.newest(lambda j: held(j) and j.axes[X_AXIS] < -0.5), "the way back"
    )
    session.until(lambda: session.newest(lambda j: not held(j)), "the release")
    stamps = [to_ns(joy.header.stamp) for joy in session.joys]
    assert stamps == sorted(stamps)


def test_buttons_are_keys_and_press_nothing_else(sessions):
    session = sessions().started()
    session.type_until(b"c", lambda: session.newest(lambda j: j.buttons[CLOSE]), "the gripper's button")
    session.type_until(b"\x7f", lambda: session.newest(lambda j: j.buttons[ESTOP]), "the emergency stop")
    session.until(lambda: session.newest(lambda j: not any(j.buttons)), "the release")
    assert not any(held(joy) for joy in session.joys)


def test_status_line_says_who_drives_and_why_and_what_for(sessions):
    session = sessions().started()
    session.until(lambda: "nothing heard of the chunk executor" in session.shown, "the missing executor")
    state, status = ControlState(mode=ControlState.HUMAN, source="gamepad"), PolicyStatus()
    state.reason.text, status.instruction = "the operator drives", "open the drawer"
    session.policy.publish(status)

    def shown() -> bool:
        session.control.publish(state)
        return "HUMAN by gamepad: the operator drives | policy: open the drawer" in session.shown

    session.until(shown, "the status line")
    assert "space only holds" in session.shown and "c: gripper close" in session.shown


def test_follows_the_clock_of_a_simulation(sessions):
    session = sessions().started()
    clock = session.node.create_publisher(Clock, "/clock", qos.PROPRIO)

    def stamped() -> bool:
        clock.publish(Clock(clock=to_stamp(123_000_000_000)))
        return session.newest(lambda j: j.header.stamp.sec == 123)

    session.until(stamped, "a stamp of the simulation's clock")


@pytest.mark.parametrize("how", ["q", "end_of_input", "SIGINT", "SIGTERM", "ctrl_c"])
def test_terminal_is_as_before_after_the_end_and_control_is_given_back(sessions, how):
    session = sessions().started()
    assert not termios.tcgetattr(session.slave)[3] & (termios.ICANON | termios.ECHO)
    session.type_until(b"w", lambda: session.newest(held), "the dead-man switch")
    if how.startswith("SIG"):
        session.process.send_signal(getattr(signal, how))
    else:
        os.write(session._master, {"q": b"q", "end_of_input": b"\x04", "ctrl_c": b"\x03"}[how])
    assert session.end() == 0
    session.until(lambda: session.newest(lambda j: not held(j)), "the last Joy, released")
    assert termios.tcgetattr(session.slave) == session.before


def test_lost_terminal_releases_and_ends(sessions):
    session = sessions().started()
    session.type_until(b"w", lambda: session.newest(held), "the dead-man switch")
    session.hang_up()
    session.end()
    session.until(lambda: session.newest(lambda j: not held(j)), "the last Joy, released")


def test_suspending_is_off(sessions):
    session = sessions().started()
    count = len(session.joys)
    os.write(session._master, b"\x1a")
    session.until(lambda: len(session.joys) > count + 40, "more messages")


def test_without_a_terminal_it_does_not_start() -> None:
    for command, code in (
        (TELEOP, 1),
        ([sys.executable, "-m", "lbm_policy_node.ros.keyboard.keyboard_teleop_node"], 2),
    ):
        ended = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False,
        )  # fmt: skip
        assert ended.returncode == code and "standard input is no terminal" in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [(["--source", "pedals"], "no teleop source 'pedals' of kind joy"), (["--robot", "toaster"], "toaster")],
)
def test_wrong_arguments_are_refused(sessions, arguments, complaint):
    session = sessions(*arguments)
    assert session.end() == 1
    session.until(lambda: complaint in session.shown.replace("\r\n", " "), "the complaint")


def test_exception_leaves_the_terminal_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    master, slave = os.openpty()
    before = termios.tcgetattr(slave)
    with os.fdopen(slave, "r+b", buffering=0) as both:
        monkeypatch.setattr(sys, "stdin", both)
        with pytest.raises(RuntimeError), KeyTerminal():
            assert termios.tcgetattr(slave) != before
            raise RuntimeError("a bug")
        assert termios.tcgetattr(slave) == before
    os.close(master)
