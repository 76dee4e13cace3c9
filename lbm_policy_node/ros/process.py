# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Run one node as one process: start, autostart, spin, and leave in order on SIGINT or SIGTERM."""

import gc
import signal
import socket
import sys
import threading
from collections.abc import Callable, Sequence

import rclpy
from rclpy.executors import ConditionReachedException, ExternalShutdownException, SingleThreadedExecutor
from rclpy.lifecycle import LifecycleNode, TransitionCallbackReturn
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from rclpy.utilities import try_shutdown

from lbm_policy_node.core.settings import SettingError

EXIT_BAD_PARAMETERS = 2
LAST_CALLBACKS = 10
"""Executed after the shutdown transition, to deliver the result of a goal that it ended."""


class StopSignal:
    """Turns SIGINT and SIGTERM into a flag that wakes the executor.

    rclpy's own handler shuts the context down at once, after which a node can no longer say IDLE. Python runs
    its handlers only between byte codes of the main thread, which sits in the wait set; the wake-up socket
    is written by the C handler and read by a thread here.
    """

    def __init__(self, executor: SingleThreadedExecutor) -> None:
        """Install the handlers; call from the main thread."""
        self._stopped = threading.Event()
        self._executor = executor
        self._reader, self._writer = socket.socketpair()
        self._writer.setblocking(False)
        signal.set_wakeup_fd(self._writer.fileno())
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda _number, _frame: None)
        threading.Thread(target=self._watch, name="stop-signal", daemon=True).start()

    def __call__(self) -> bool:
        """Return whether to stop."""
        return self._stopped.is_set()

    def _watch(self) -> None:
        self._reader.recv(1)
        self._stopped.set()
        self._executor.wake()


def spin(executor: SingleThreadedExecutor, stopped: Callable[[], bool]) -> None:
    """Execute callbacks until the stop signal.

    ``spin_until_future_complete`` would do, but it adds one callback to the future per turn, for ever.
    """
    while not stopped():
        try:
            handler, _entity, _node = executor.wait_for_ready_callbacks(condition=stopped)
        except (ConditionReachedException, ExternalShutdownException):
            return
        handler()
        handler.result()  # an exception in a callback is a bug: it ends the process with its stack


def autostart(node: LifecycleNode) -> None:
    """Configure and activate; a refusal leaves the node unconfigured, with its reason logged."""
    if node.trigger_configure() == TransitionCallbackReturn.SUCCESS:
        node.trigger_activate()


def run(make_node: Callable[[], Node], args: Sequence[str] | None = None) -> int:
    """Run a node until SIGINT or SIGTERM.

    A lifecycle node whose ``config.autostart`` is true configures and activates itself. On the way out it
    gets its shutdown transition while it can still publish.

    Returns:
        The exit code: the node's ``exit_code`` where it has one, else 0; 2 when a parameter was refused.
    """
    gc.freeze()  # what is imported stays, so a full collection, which stops the node, has less to look at
    rclpy.init(args=list(args) if args is not None else None, signal_handler_options=SignalHandlerOptions.NO)
    executor = SingleThreadedExecutor()
    stopped = StopSignal(executor)
    try:
        return _run(make_node, executor, stopped)
    finally:
        executor.shutdown(timeout_sec=1.0)
        try_shutdown()


def _run(make_node: Callable[[], Node], executor: SingleThreadedExecutor, stopped: StopSignal) -> int:
    try:
        node = make_node()
    except SettingError as error:
        print(f"refused: {error}", file=sys.stderr)
        return EXIT_BAD_PARAMETERS
    executor.add_node(node)
    if isinstance(node, LifecycleNode) and getattr(getattr(node, "config", None), "autostart", False):
        autostart(node)
    spin(executor, stopped)
    if isinstance(node, LifecycleNode):
        node.trigger_shutdown()
    for _ in range(LAST_CALLBACKS):
        executor.spin_once(timeout_sec=0.0)
    node.destroy_node()
    return getattr(node, "exit_code", 0)
