# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Every quality-of-service profile of the graph, named, with the reason for it."""

from rclpy.qos import QoSDurabilityPolicy, QoSHistoryPolicy, QoSProfile, QoSReliabilityPolicy

try:
    from rclpy.event_handler import SubscriptionEventCallbacks
except ImportError:  # Humble
    from rclpy.qos_event import SubscriptionEventCallbacks  # pyright: ignore[reportMissingImports]


def _profile(*, reliable: bool, depth: int, latched: bool = False) -> QoSProfile:
    return QoSProfile(
        history=QoSHistoryPolicy.KEEP_LAST,
        depth=depth,
        reliability=QoSReliabilityPolicy.RELIABLE if reliable else QoSReliabilityPolicy.BEST_EFFORT,
        durability=QoSDurabilityPolicy.TRANSIENT_LOCAL if latched else QoSDurabilityPolicy.VOLATILE,
    )


CAMERA = _profile(reliable=False, depth=1)
"""Only the newest image counts; best effort also receives from reliable publishers, and resending a lost
image of a megabyte delays the next one."""

PROPRIO = _profile(reliable=False, depth=10)
"""Small and fast; a few deep, so that one slow callback does not lose the sample nearest a camera's."""

COMMAND = _profile(reliable=True, depth=1)
"""Controllers subscribe reliably (an incompatible offer would not match), and only the newest counts."""

CHUNK = _profile(reliable=True, depth=1)
"""A lost chunk starves the executor; an older chunk is worthless once a newer one exists."""

EVERY_CHUNK = _profile(reliable=True, depth=30)
"""For the policy's offer and the monitor: a score compares successive chunks, so that none may be skipped.
The executor subscribes with CHUNK and sees only the newest one all the same."""

STATUS = _profile(reliable=True, depth=1, latched=True)
"""A node or console that starts late must learn the present state without waiting for a change."""

CONTROL_STATE = _profile(reliable=True, depth=1000)
"""One message per tick that the recorder must not lose. A message that the network lost is sent again
after the writer's next heartbeat, by default within 3 s, unless it has left the history by then."""

NEWEST_CONTROL = _profile(reliable=False, depth=1)
"""For subscribers that only need the present mode: the next tick's message replaces a lost one."""

VERDICT = _profile(reliable=True, depth=10)
"""Few, small and each one may stop the robot."""

EVENT = _profile(reliable=True, depth=10)
"""Operator input such as an e-stop or a success flag: must arrive. Volatile, because a volatile publisher
does not match a transient-local subscription, and the plain ``ros2 topic pub`` is volatile."""

OUTSIDE_EVENT = _profile(reliable=False, depth=10)
"""A success flag of somebody else's node: best effort and volatile receives from every publisher, reliable or
not, latched or not; such a flag is sent again as long as it is true."""

EPISODE_EVENT = _profile(reliable=True, depth=50)
"""Stamped facts (who took over, success, marks): each one must reach the recorder, and several may come at
once. Volatile: a node that starts late must not act on what happened before."""

TELEOP = _profile(reliable=False, depth=10)
"""The operator's commands. Best effort also receives from reliable publishers, and leader arms often publish
best effort; what was lost is sent again with the next message, and silence pauses."""

RECORDED_CAMERA = _profile(reliable=False, depth=60)
"""For the recorder: two seconds in reserve for when an episode is being opened or others need the processor;
best effort matches every publisher."""

RECORDED_STREAM = _profile(reliable=False, depth=1000)
"""For the recorder: what else a robot and its operator say, with seconds in reserve."""

RECORDED = _profile(reliable=True, depth=1000)
"""For the recorder: what our own nodes say."""

RECORDED_STATUS = _profile(reliable=True, depth=10, latched=True)
"""For the recorder: the state at the beginning of an episode was published before it."""

PLAYED = _profile(reliable=True, depth=30)
"""A bag in the robot's place: reliable and best-effort subscribers hear it alike."""

DIAGNOSTICS = _profile(reliable=True, depth=10)
"""What diagnostic aggregators expect of /diagnostics."""

NO_MISMATCH_WARNING = SubscriptionEventCallbacks(incompatible_qos=lambda _event: None)
"""For a subscription of which some publishers are expected not to match."""
