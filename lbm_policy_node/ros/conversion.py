# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Every message to and from the values of core: robot streams, chunks, statuses, results."""

import math
from array import array
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import PoseStamped
from lbm_msgs.action import RunPolicy
from lbm_msgs.msg import ActionChunk as ActionChunkMessage
from lbm_msgs.msg import ControlState, PolicyStatus
from lbm_msgs.msg import Reason as ReasonMessage
from sensor_msgs.msg import CompressedImage, Image, JointState

from lbm_policy_node.core.command import Command
from lbm_policy_node.core.reasons import Reason, ReasonCode
from lbm_policy_node.core.samples import JointSample, PoseSample, Sample
from lbm_policy_node.core.types import ActionChunk, Array

from .goal import Ending
from .image_encoding import KNOWN_ENCODINGS, ConversionError, decode_compressed, decode_raw
from .policy_report import PolicyReport

Response = TypeVar("Response")

MAX_STEP_NS = 3_600_000_000_000
"""An hour between two action rows is no plan; and times beyond it would leave the range of int64."""


def to_ns(stamp: Time) -> int:
    """Return a message's time in nanoseconds."""
    return stamp.sec * 1_000_000_000 + stamp.nanosec


def to_stamp(time_ns: int) -> Time:
    """Return nanoseconds as a message's time."""
    sec, nanosec = divmod(time_ns, 1_000_000_000)
    return Time(sec=sec, nanosec=nanosec)


def to_float_array(values: Any) -> array:
    """Return numbers as the one type that a float64[] field takes without checking each element."""
    return array("d", np.ascontiguousarray(values, np.float64).tobytes())


def sample_from_message(message: Image | CompressedImage | JointState | PoseStamped) -> Sample:
    """Convert a message of a robot's stream; nothing is judged here but whether an image decodes.

    Returns:
        The sample; of an uncompressed image a view of the message. Or OBSERVATION_WRONG_ENCODING.
    """
    if isinstance(message, Image | CompressedImage):
        try:
            return _image(message)
        except ConversionError as error:
            return Reason(ReasonCode.OBSERVATION_WRONG_ENCODING, str(error))
    if isinstance(message, JointState):
        quantities = (message.position, message.velocity, message.effort)
        return JointSample(tuple(message.name), *(np.asarray(values, np.float64) for values in quantities))
    point, turn = message.pose.position, message.pose.orientation
    return PoseSample(
        np.array([point.x, point.y, point.z]),
        np.array([turn.x, turn.y, turn.z, turn.w]),
        message.header.frame_id,
    )


def _image(message: Image | CompressedImage) -> Any:
    if isinstance(message, CompressedImage):
        return decode_compressed(message.data, image_format=message.format)
    if message.encoding not in KNOWN_ENCODINGS:
        return _through_cv_bridge(message)
    return decode_raw(
        message.data,
        encoding=message.encoding,
        height=message.height,
        width=message.width,
        step=message.step,
        big_endian=bool(message.is_bigendian),
    )


def _through_cv_bridge(message: Image) -> Any:
    try:
        from cv_bridge import CvBridge  # pyright: ignore[reportMissingImports]  # not among the wheels
    except ImportError as error:
        known = ", ".join(sorted(KNOWN_ENCODINGS))
        text = f"encoding is '{message.encoding}'; without cv_bridge these are known: {known}"
        raise ConversionError(text) from error
    try:
        return CvBridge().imgmsg_to_cv2(message, "rgb8")
    except Exception as error:  # CvBridgeError, but also OpenCV's own
        raise ConversionError(f"cv_bridge: encoding '{message.encoding}': {error}") from error


def reason_message(reason: Reason) -> ReasonMessage:
    """Convert a reason; the numbers are the same."""
    return ReasonMessage(code=int(reason.code), text=reason.text)


def fill_error(response: Response, reason: Reason) -> Response:
    """Fill the ``error_code`` and ``error_msg`` of a service response."""
    response.error_code, response.error_msg = int(reason.code), reason.text  # type: ignore[attr-defined]
    return response


def result_message(ending: Ending) -> RunPolicy.Result:
    """Convert the end of a run."""
    result = RunPolicy.Result(
        termination_reason=int(ending.termination),
        elapsed_s=ending.run.elapsed_s(ending.now_ns),
        n_chunks=ending.run.n_chunks,
    )
    return fill_error(result, ending.reason)


def chunk_message(chunk: ActionChunk, *, frame_id: str) -> ActionChunkMessage:
    """Convert a chunk; ``frame_id`` is the frame of its Cartesian columns."""
    message = ActionChunkMessage(
        chunk_id=chunk.chunk_id,
        start=to_stamp(chunk.start_ns),
        step_s=chunk.step_ns * 1e-9,
        horizon=chunk.horizon,
        action_dim=chunk.action_dim,
        action_names=list(chunk.action_names),
        n_samples=len(chunk.samples),
        guided=chunk.guided,
        stochastic=chunk.stochastic,
        seed=chunk.seed,
        checkpoint_id=chunk.checkpoint_id,
        instruction=chunk.instruction,
        inference_s=chunk.inference_s,
        index=chunk.index,
        execution_horizon=chunk.execution_horizon,
        embedding=array("f", chunk.embedding.tobytes()),
    )
    message.header.stamp, message.header.frame_id = to_stamp(chunk.observation_stamp_ns), frame_id
    message.actions, message.samples = to_float_array(chunk.actions), to_float_array(chunk.samples)
    return message


def chunk_from_message(message: ActionChunkMessage) -> ActionChunk:
    """Convert a chunk; the arrays share the message's memory.

    Raises:
        ConversionError: Lengths, names and times do not fit together.
    """
    rows, columns, n_samples = message.horizon, message.action_dim, message.n_samples
    try:
        for field, stamp in (("header.stamp", message.header.stamp), ("start", message.start)):
            if stamp.nanosec >= 1_000_000_000:
                raise ConversionError(f"{field}.nanosec is {stamp.nanosec}; expected below 1000000000")
        return ActionChunk(
            chunk_id=message.chunk_id,
            observation_stamp_ns=to_ns(message.header.stamp),
            start_ns=to_ns(message.start),
            step_ns=_step_ns(message.step_s),
            actions=_shaped(message.actions, (rows, columns), "actions"),
            samples=_shaped(message.samples, (n_samples, rows, columns), "samples"),
            action_names=tuple(message.action_names),
            seed=message.seed,
            checkpoint_id=message.checkpoint_id,
            instruction=message.instruction,
            guided=message.guided,
            stochastic=message.stochastic,
            inference_s=message.inference_s,
            index=message.index,
            execution_horizon=message.execution_horizon,
            embedding=np.asarray(message.embedding, np.float32),
        )
    except ValueError as error:
        raise ConversionError(f"chunk {message.chunk_id}: {error}") from error


def _step_ns(step_s: float) -> int:
    step_ns = step_s * 1e9
    if not 0.5 < step_ns < MAX_STEP_NS:  # false for NaN, too
        raise ConversionError(f"step_s is {step_s}; expected above 0 and below {MAX_STEP_NS * 1e-9:g} s")
    return round(step_ns)


def _shaped(values: Any, shape: tuple[int, ...], field: str) -> Array:
    flat = np.asarray(values, np.float64)
    if flat.size != math.prod(shape):
        raise ConversionError(f"{field} has {flat.size} values; expected {' x '.join(map(str, shape))}")
    return flat.reshape(shape)


def policy_status_message(report: PolicyReport, *, now_ns: int) -> PolicyStatus:
    """Convert what the policy node says about itself."""
    run = report.run
    message = PolicyStatus(
        state=int(report.state),
        reason=reason_message(report.reason),
        instruction=run.instruction if run else "",
        checkpoint_id=report.checkpoint_id,
        elapsed_s=run.elapsed_s(now_ns) if run else 0.0,
        time_limit_s=run.time_limit_ns * 1e-9 if run else 0.0,
        inference_last_s=report.inference.last_s,
        inference_median_s=report.inference.median_s,
        inference_p99_s=report.inference.p99_s,
        observation_age_last_s=report.age.last_s,
        observation_age_median_s=report.age.median_s,
        observation_age_p99_s=report.age.p99_s,
        n_chunks=report.n_chunks,
        n_blocked=report.n_blocked,
        n_failed=report.n_failed,
    )
    message.header.stamp = to_stamp(now_ns)
    return message


def feedback_message(report: PolicyReport, *, now_ns: int) -> RunPolicy.Feedback:
    """Convert the same for the action client; there must be a run."""
    assert report.run is not None
    return RunPolicy.Feedback(
        state=int(report.state),
        reason=reason_message(report.reason),
        instruction=report.run.instruction,
        elapsed_s=report.run.elapsed_s(now_ns),
        remaining_s=report.run.remaining_s(now_ns),
        n_chunks=report.run.n_chunks,
        inference_last_s=report.inference.last_s,
    )


def control_state_message(
    command: Command,
    *,
    now_ns: int,
    frame_id: str,
    action_names: Sequence[str],
    control_enabled: bool,
) -> ControlState:
    """Convert what a control tick yielded."""
    message = ControlState(
        mode=int(command.mode),
        reason=reason_message(command.reason),
        chunk_id=command.chunk_id,
        action_names=list(action_names),
        proposed=to_float_array(() if command.proposed is None else command.proposed),
        executed=to_float_array(() if command.action is None else command.action),
        control_enabled=control_enabled,
    )
    message.header.stamp, message.header.frame_id = to_stamp(now_ns), frame_id
    return message
