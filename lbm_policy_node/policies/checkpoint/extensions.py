# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What our checkpoints can say beyond LeRobot's format, under the config.json key `lbm_extensions`.

LeRobot's loader refuses a config.json with an unknown key, so such a checkpoint is rejected there,
not misread.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from lbm_policy_node.policies.checkpoint.errors import CheckpointError
from lbm_policy_node.policies.checkpoint.field_types import check_types, is_sequence_of, require

POSE_WIDTHS = {"position": 3, "pose_quaternion": 7, "pose_rot6d": 9}


@dataclass(frozen=True)
class RelativePose:
    """One block of the action vector that holds an end-effector pose relative to a measured one.

    The block is predicted relative to the pose in the state (LBM, arXiv:2507.05331; UMI, arXiv:2402.10329).
    """

    action_start: int
    """First index of the block in the action vector."""
    action_kind: str
    """"position" (xyz), "pose_quaternion" (xyz, xyzw) or "pose_rot6d" (xyz, first two matrix columns)."""
    state_start: int
    """First index of the reference pose in the state vector."""
    state_kind: str
    """Layout of the reference pose, one of the same kinds."""
    reference: str = "newest"
    """Which observation step is the origin: "newest" or "oldest"."""

    def __post_init__(self) -> None:
        check_types(self)
        for name in ("action_start", "state_start"):
            require(name, getattr(self, name), getattr(self, name) >= 0, "an index")
        for name in ("action_kind", "state_kind"):
            if getattr(self, name) not in POSE_WIDTHS:
                raise CheckpointError("", name, f"is {getattr(self, name)!r}, expected {sorted(POSE_WIDTHS)}")
        if self.reference not in ("newest", "oldest"):
            raise CheckpointError("", "reference", f"is {self.reference!r}, expected newest or oldest")
        if (self.action_kind == "position") != (self.state_kind == "position"):
            raise CheckpointError("", "state_kind", "an orientation needs an orientation as its reference")

    @property
    def action_slice(self) -> slice:
        """Where the block is in the action vector."""
        return slice(self.action_start, self.action_start + POSE_WIDTHS[self.action_kind])

    @property
    def state_slice(self) -> slice:
        """Where the reference pose is in the state vector."""
        return slice(self.state_start, self.state_start + POSE_WIDTHS[self.state_kind])


@dataclass(frozen=True)
class Extensions:
    """Our additions to the format; all off means a plain LeRobot checkpoint."""

    per_timestep_action_stats: bool = False
    """Action statistics have shape (horizon, action_dim): each future step has its own."""
    relative_poses: tuple[RelativePose, ...] = ()
    """Blocks of the action that are relative to a pose of the state."""

    def __bool__(self) -> bool:
        return self != Extensions()

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {**asdict(self), "relative_poses": [asdict(pose) for pose in self.relative_poses]}

    @classmethod
    def from_dict(cls, data: Any, file: str = "") -> Extensions:
        """Read the JSON form.

        Raises:
            CheckpointError: An unknown key or an impossible value.
        """
        field = "lbm_extensions"
        if not isinstance(data, Mapping):
            raise CheckpointError(file, field, f"is {data!r}, expected a mapping")
        _refuse_unknown(data, cls, field, file)
        entries, steps = data.get("relative_poses", []), data.get("per_timestep_action_stats", False)
        if not is_sequence_of(entries, dict) or not isinstance(steps, bool):
            raise CheckpointError(
                file, field, f"is {dict(data)!r}, expected a list of poses and true or false"
            )
        poses = []
        for index, entry in enumerate(entries):
            _refuse_unknown(entry, RelativePose, f"{field}.relative_poses[{index}]", file)
            try:
                poses.append(RelativePose(**entry))
            except (CheckpointError, TypeError) as error:
                raise CheckpointError(file, f"{field}.relative_poses[{index}]", str(error)) from error
        return cls(steps, tuple(poses))


def _refuse_unknown(data: Mapping[str, Any], cls: type, field: str, file: str) -> None:
    """Every key must be a field of the dataclass."""
    unknown = sorted(set(data) - {f.name for f in fields(cls)})
    if unknown:
        raise CheckpointError(file, field, f"has unknown keys {unknown}")
