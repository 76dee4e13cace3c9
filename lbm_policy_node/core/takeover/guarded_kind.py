# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A teleop kind of another package, kept from raising inside the control loop."""

from typing import Any

import numpy as np

from lbm_policy_node.core.reasons import Reason, ReasonCode
from lbm_policy_node.core.spec.spec_reader import SpecError, SpecReader
from lbm_policy_node.core.spec.teleop_sources import TeleopSource
from lbm_policy_node.core.takeover.teleop_kind import TargetStep, TeleopKind, TeleopRobot
from lbm_policy_node.core.types import Array


class GuardedKind(TeleopKind[Any, Any]):
    """Passes everything on; an exception becomes a reason that refuses the sample or ends the turn."""

    def __init__(self, kind: TeleopKind[Any, Any]) -> None:
        self._kind = kind
        self.types, self.unstamped_types = kind.types, kind.unstamped_types
        self.sample_type, self.moves_end_effector = kind.sample_type, kind.moves_end_effector

    def read_spec(self, entry: SpecReader, common: TeleopSource, robot: TeleopRobot) -> Any:
        """Read the keys; what is not a SpecError becomes one."""
        try:
            source = self._kind.read_spec(entry, common, robot)
        except SpecError:
            raise
        except Exception as error:  # the code of another package may raise anything
            raise entry.fail("kind", f"the kind cannot read its keys: {_text(error)}") from error
        if not isinstance(source, TeleopSource):
            raise entry.fail("kind", f"the kind read a {type(source).__name__}, expected a TeleopSource")
        return source

    def read_message(self, source: Any, message: Any) -> Any:
        """Convert a message, or say what was raised."""
        try:
            return self._kind.read_message(source, message)
        except Exception as error:
            return _failed(source, "a message", error)

    def check_sample(self, source: Any, sample: Any) -> Reason | None:
        """Check a sample, or refuse it for what was raised."""
        try:
            return self._kind.check_sample(source, sample)
        except Exception as error:
            return _failed(source, "a sample", error)

    def check_jump(self, source: Any, before: Any, after: Any) -> Reason | None:
        """Check two samples, or refuse the newer one for what was raised."""
        try:
            return self._kind.check_jump(source, before, after)
        except Exception as error:
            return _failed(source, "two samples", error)

    def continued(self, source: Any, before: Any, sample: Any) -> Any:
        """Return the sample with what is known from before, or say what was raised."""
        try:
            return self._kind.continued(source, before, sample)
        except Exception as error:
            return _failed(source, "a sample", error)

    def complaint(self, source: Any, sample: Any) -> str:
        """Return what the operator must do, or what was raised."""
        try:
            return str(self._kind.complaint(source, sample))
        except Exception as error:
            return _failed(source, "a sample", error).text

    def target(self, source: Any, step: TargetStep[Any]) -> Array | Reason:
        """Return the target, or why there is none: something was raised, a wrong shape, not finite."""
        try:
            target = np.asarray(self._kind.target(source, step), dtype=np.float64)
        except Exception as error:
            return _failed(source, "the target", error)
        if target.shape != step.anchor.shape:
            text = f"{source.name}: the target has shape {target.shape}, expected {step.anchor.shape}"
            return Reason(ReasonCode.REQUEST_INVALID, text)
        if not np.isfinite(target).all():
            text = f"{source.name}: the target is {target.tolist()}"
            return Reason(ReasonCode.OBSERVATION_NON_FINITE, text)
        return target

    def device_position(self, source: Any, sample: Any, name: str) -> float:
        """Return the device's value of a column; NaN where something was raised."""
        try:
            return float(self._kind.device_position(source, sample, name))
        except Exception:
            return float("nan")


def _failed(source: TeleopSource, what: str, error: Exception) -> Reason:
    text = f"{source.name}: kind '{source.kind}' failed at {what}: {_text(error)}"
    return Reason(ReasonCode.REQUEST_INVALID, text)


def _text(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".replace("\n", " ")
