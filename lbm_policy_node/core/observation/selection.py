# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Pick the numbers that a spec names from joint states and poses: joints by name, never by place."""

from collections import Counter

import numpy as np

from lbm_policy_node.core.observation.samples import JointSample, PoseSample, Sample
from lbm_policy_node.core.reasons import Reason, ReasonCode
from lbm_policy_node.core.rotations import matrix_to_rot6d, quaternion_to_matrix
from lbm_policy_node.core.spec.spec_streams import POSE_FIELDS, Selection, StreamSpec
from lbm_policy_node.core.types import Array

_UNIT_TOLERANCE = 1e-2
"""Drivers publish quaternions rounded to float32; an uninitialised one has norm 0."""


class Selector:
    """Evaluates one selection; remembers where the joints are in the message."""

    def __init__(self, selection: Selection, stream: StreamSpec) -> None:
        self._selection = selection
        self._stream = stream
        self._order: tuple[tuple[str, ...], Array] | None = None
        self._fields = np.array([POSE_FIELDS.index(field) for field in selection.fields], dtype=np.intp)
        self._has_rot6d = any(field.startswith("rot6d") for field in selection.fields)

    def select(self, sample: Sample) -> Array | Reason:
        """Return the numbers in spec order, shape (selection.size,), or what is wrong with the sample."""
        if isinstance(sample, JointSample):
            values = self._joints(sample)
        elif isinstance(sample, PoseSample):
            values = self._pose(sample)
        elif isinstance(sample, Reason):
            return sample
        else:
            return self._refuse(ReasonCode.OBSERVATION_WRONG_SHAPE, "is an image, expected numbers")
        if isinstance(values, Reason) or np.isfinite(values).all():
            return values
        bad = [f"{n}={v}" for n, v in zip(self._selection.names, values, strict=True) if not np.isfinite(v)]
        return self._refuse(ReasonCode.OBSERVATION_NON_FINITE, f"holds {', '.join(bad)}")

    def _joints(self, sample: JointSample) -> Array | Reason:
        if self._order is None or self._order[0] != sample.names:
            found = self._find(sample.names)
            if isinstance(found, Reason):
                return found
            self._order = (sample.names, found)
        quantity = self._selection.quantity
        values = np.asarray(getattr(sample, quantity), dtype=np.float64)
        if values.shape != (len(sample.names),):
            text = f"has {len(sample.names)} joint names but {quantity} has shape {values.shape}"
            return self._refuse(ReasonCode.OBSERVATION_WRONG_SHAPE, text)
        return values[self._order[1]]

    def _find(self, names: tuple[str, ...]) -> Array | Reason:
        counts = Counter(names)
        wrong = [joint for joint in self._selection.joints if counts[joint] != 1]
        if wrong:
            text = f"must name {wrong} once each; it has {list(names)}"
            return self._refuse(ReasonCode.OBSERVATION_WRONG_JOINTS, text)
        return np.array([names.index(joint) for joint in self._selection.joints], dtype=np.intp)

    def _pose(self, sample: PoseSample) -> Array | Reason:
        if sample.frame != self._stream.frame:
            text = f"is in frame '{sample.frame}', expected '{self._stream.frame}'"
            return self._refuse(ReasonCode.OBSERVATION_WRONG_FRAME, text)
        position = np.asarray(sample.position, dtype=np.float64)
        orientation = np.asarray(sample.orientation, dtype=np.float64)
        if position.shape != (3,) or orientation.shape != (4,):
            return self._refuse(ReasonCode.OBSERVATION_WRONG_SHAPE, "must have 3 and 4 numbers")
        if not abs(float(orientation @ orientation) - 1.0) <= _UNIT_TOLERANCE:  # also NaN
            return self._refuse(ReasonCode.OBSERVATION_NON_FINITE, f"has no unit quaternion: {orientation}")
        rot6d = matrix_to_rot6d(quaternion_to_matrix(orientation)) if self._has_rot6d else np.zeros(6)
        return np.concatenate((position, orientation, rot6d))[self._fields]

    def _refuse(self, code: ReasonCode, text: str) -> Reason:
        return Reason(code, f"'{self._stream.name}' ({self._stream.topic}) {text}")
