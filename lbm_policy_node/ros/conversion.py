# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Every message to and from the values of core: robot streams, chunks, statuses, results."""

from array import array
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
from builtin_interfaces.msg import Time
from lbm_msgs.action import RunPolicy
from lbm_msgs.msg import ActionChunk as ActionChunkMessage
from lbm_msgs.msg import ControlState, PolicyStatus
from lbm_msgs.msg import Reason as ReasonMessage
from sensor_msgs.msg import Image

from lbm_policy_node.core.execution.command import Command
from lbm_policy_node.core.observation.samples import ImageSize, LazySample, Sample
from lbm_policy_node.core.reasons import Reason, ReasonCode
from lbm_policy_node.core.types import ActionChunk
from lbm_policy_node.messages import samples
from lbm_policy_node.messages.chunks import fill_chunk_message
from lbm_policy_node.messages.image_encoding import KNOWN_ENCODINGS, ConversionError
from lbm_policy_node.messages.stamps import from_ns
from lbm_policy_node.running.goal import Ending
from lbm_policy_node.running.report import PolicyReport

Response = TypeVar("Response")


def to_stamp(time_ns: int) -> Time:
    """Return nanoseconds as a message's time."""
    return from_ns(time_ns, Time)


def to_float_array(values: Any) -> array:
    """Return numbers as the one type that a float64[] field takes without checking each element."""
    return array("d", np.ascontiguousarray(values, np.float64).tobytes())


def sample_from_message(message: Any, type_name: str) -> Sample:
    """Convert as messages.samples does; an encoding that is not known there goes through cv_bridge."""
    if isinstance(message, Image) and message.encoding not in KNOWN_ENCODINGS:
        try:
            return _through_cv_bridge(message)
        except ConversionError as error:
            return Reason(ReasonCode.OBSERVATION_WRONG_ENCODING, str(error))
    return samples.sample_from_message(message, type_name)


def lazy_sample(message: Any, type_name: str) -> LazySample:
    """Hold a message that is converted as above when its content is first read."""
    if isinstance(message, Image) and message.encoding not in KNOWN_ENCODINGS:
        return LazySample(lambda: sample_from_message(message, type_name), lambda: _cv_bridge_size(message))
    return samples.lazy_sample(message, type_name)


def _cv_bridge_size(message: Image) -> ImageSize | Reason:
    try:
        _cv_bridge(message.encoding)
    except ConversionError as error:
        return Reason(ReasonCode.OBSERVATION_WRONG_ENCODING, str(error))
    return message.height, message.width


def _cv_bridge(encoding: str) -> Any:
    try:
        from cv_bridge import CvBridge  # pyright: ignore[reportMissingImports]  # not among the wheels
    except ImportError as error:
        known = ", ".join(sorted(KNOWN_ENCODINGS))
        text = f"encoding is '{encoding}'; without cv_bridge these are known: {known}"
        raise ConversionError(text) from error
    return CvBridge()


def _through_cv_bridge(message: Image) -> Any:
    bridge = _cv_bridge(message.encoding)
    try:
        return bridge.imgmsg_to_cv2(message, "rgb8")
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
    return fill_chunk_message(ActionChunkMessage(), chunk, frame_id=frame_id)


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
        n_starved=report.n_starved,
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
        source=command.source,
        reason=reason_message(command.reason),
        chunk_id=command.chunk_id,
        action_names=list(action_names),
        proposed=to_float_array(() if command.proposed is None else command.proposed),
        executed=to_float_array(() if command.action is None else command.action),
        control_enabled=control_enabled,
    )
    message.header.stamp, message.header.frame_id = to_stamp(now_ns), frame_id
    return message
