# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Why something was refused or held: a code for programs and a sentence for users."""

from dataclasses import dataclass
from enum import IntEnum


class ReasonCode(IntEnum):
    """Published on PolicyStatus and ControlState; the same names and numbers as lbm_msgs/msg/Reason."""

    OK = 0

    # 100 to 199: the observation gate; no inference runs on such an observation.
    OBSERVATION_MISSING = 100  # a stream has not delivered anything yet
    OBSERVATION_STALE = 101  # a stream's newest message is older than its maximum age
    OBSERVATION_SKEWED = 102  # the streams' stamps lie too far apart
    OBSERVATION_NON_FINITE = 103  # NaN or infinity in a value
    OBSERVATION_WRONG_SHAPE = 104  # image size or vector length differs from the spec
    OBSERVATION_WRONG_ENCODING = 105  # image encoding is unknown or its buffer does not fit its header
    OBSERVATION_WRONG_JOINTS = 106  # a joint named in the spec is missing or named twice
    CLOCK_JUMPED = 107  # the ROS clock jumped; history and plan were dropped
    OBSERVATION_WRONG_FRAME = 108  # a pose arrived in another frame than the spec's
    OBSERVATION_IMPLAUSIBLE = 111  # a joint moved faster than it can between two messages

    # 200 to 299: the policy.
    POLICY_NOT_RUNNING = 200  # no goal is active
    INSTRUCTION_INVALID = 201  # empty, too long, or not text
    INFERENCE_FAILED = 202  # the policy raised, or returned a wrong shape
    CHECKPOINT_REFUSED = 203  # checkpoint and spec disagree, or the checkpoint cannot be read
    INFERENCE_NON_FINITE = 204  # the policy returned NaN or infinity
    INFERENCE_LATE = 205  # the whole chunk was past when it was ready
    SPEC_REFUSED = 206  # the robot spec cannot be read
    POLICY_UNAVAILABLE = 207  # the policy's server cannot be asked now; recovers by itself

    # 300 to 399: the chunk executor; a refused chunk is refused whole.
    NO_CHUNK = 300  # no chunk has arrived yet
    CHUNK_STALE = 301  # starvation: the plan ran out or is too old, decelerating to hold
    CHUNK_NON_FINITE = 302  # NaN or infinity in the chunk
    CHUNK_WRONG_LAYOUT = 303  # action names or array lengths differ from the spec
    POSITION_LIMIT = 304  # a row is outside the position limits
    VELOCITY_LIMIT = 305  # two rows are too far apart for their time
    ACCELERATION_LIMIT = 306  # the velocity changes too much between rows
    START_JUMP = 307  # the chunk starts too far from where the robot is
    WORKSPACE_LIMIT = 308  # a target lies outside the workspace box
    E_STOP = 309  # the emergency stop is latched
    CONTROL_DISABLED = 310  # shadow mode: enable_control is false, nothing is sent
    MONITOR_STOP = 311  # the monitor asked for a stop
    HUMAN_CONTROL = 312  # the operator drives
    FEEDBACK_MISSING = 313  # the robot's own position is unknown or too old
    CHUNK_PAST = 314  # every row of the chunk was already past on arrival
    DEACTIVATED = 315  # the node is not active
    STOP_NOT_OBEYED = 316  # the feedback still moves after a stop; the stop is repeated
    ROBOT_NOT_FOLLOWING = 318  # the robot does not follow the policy's commands

    # 400 to 499: requests (services and actions).
    BUSY = 400  # a goal is running; a second one is refused
    NOT_ACTIVE = 401  # the node is not configured and active
    REQUEST_INVALID = 402  # a field of the request is out of range
    ESTOP_STILL_PRESSED = 403  # the stop input is still true, so the latch stays

    # 500 to 599: the simulator.
    TASK_UNKNOWN = 500  # no such task
    OPTIONS_INVALID = 501  # options_json is not a JSON object, or holds an unknown key
    NOT_LOCK_STEP = 502  # stepping by hand needs lock-step mode
    SIMULATION_FAILED = 503  # the physics diverged or the renderer failed

    # 600 to 699: the recorder.
    NOT_RECORDING = 600  # no episode is being recorded
    ALREADY_RECORDING = 601  # an episode is being recorded
    DISK_FULL = 602  # the disk is full, or nearly; recording stopped, the robot runs on
    RECORDING_FAILED = 603  # the episode's file cannot be written
    RECORDING_DROPPED = 604  # the queue was full; messages are missing from the episode
    TOPIC_MISSING = 605  # a topic of the robot spec has no publisher, so the episode lacks it


@dataclass(frozen=True)
class Reason:
    """A refusal or the lack of one.

    Attributes:
        code: What kind of thing is wrong.
        text: One sentence that names the stream, joint, row, value and limit concerned.
    """

    code: ReasonCode
    text: str = ""

    @property
    def ok(self) -> bool:
        """True when nothing is wrong."""
        return self.code == ReasonCode.OK

    def __str__(self) -> str:
        return f"{self.code.name}: {self.text}" if self.text else self.code.name


OK = Reason(ReasonCode.OK)
