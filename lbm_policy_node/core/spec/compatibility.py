# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Whether a checkpoint fits a robot, with every difference spelled out."""

from collections.abc import Sequence
from typing import Protocol

from lbm_policy_node.core.spec.robot_spec import RobotSpec


class ImageDeclaration(Protocol):
    """An image that a policy needs."""

    @property
    def key(self) -> str:
        """Feature key."""
        ...

    @property
    def height(self) -> int:
        """Rows."""
        ...

    @property
    def width(self) -> int:
        """Columns."""
        ...


class PolicyDeclaration(Protocol):
    """What a policy says about itself, as policies.PolicySpec does; None where the checkpoint is silent."""

    @property
    def images(self) -> Sequence[ImageDeclaration]:
        """Cameras that each observation must hold."""
        ...

    @property
    def state_dim(self) -> int:
        """Width of the proprio vector."""
        ...

    @property
    def action_dim(self) -> int:
        """Width of one action."""
        ...

    @property
    def n_obs_steps(self) -> int:
        """Observations per inference."""
        ...

    @property
    def step_s(self) -> float | None:
        """Time between rows and between observations, s."""
        ...

    @property
    def state_names(self) -> tuple[str, ...] | None:
        """Names of the proprio values."""
        ...

    @property
    def action_names(self) -> tuple[str, ...] | None:
        """Names of the action columns."""
        ...


def spec_differences(spec: RobotSpec, policy: PolicyDeclaration) -> list[str]:
    """Return a sentence per difference between a robot and a policy; empty when the checkpoint fits.

    Cameras of the robot that the policy does not ask for are no difference: they are observed and
    ignored.
    """
    return [
        *_image_differences(spec, policy.images),
        *_vector_differences("state", spec.state_names, policy.state_dim, policy.state_names),
        *_vector_differences("action", spec.action_names, policy.action_dim, policy.action_names),
        *_time_differences(spec, policy),
    ]


def _image_differences(spec: RobotSpec, images: Sequence[ImageDeclaration]) -> list[str]:
    differences = []
    for image in images:
        ours = spec.images.get(image.key)
        if ours is None:
            known = sorted(spec.images) or "none"
            differences.append(f"the policy needs the image '{image.key}'; the robot has {known}")
        elif (ours.height, ours.width) != (image.height, image.width):
            theirs, size = f"{image.width}x{image.height}", f"{ours.width}x{ours.height}"
            differences.append(f"image '{image.key}' is {size} on the robot, the policy needs {theirs}")
    return differences


def _vector_differences(
    what: str, ours: tuple[str, ...], theirs_dim: int, theirs: tuple[str, ...] | None
) -> list[str]:
    if theirs_dim != len(ours):
        named = f" {list(theirs)}" if theirs else ""
        return [
            f"the {what} has {len(ours)} values on the robot {list(ours)}, the policy has {theirs_dim}{named}"
        ]
    if theirs is None or theirs == ours:
        return []
    if set(theirs) == set(ours):
        return [f"the {what} is ordered {list(ours)} on the robot, the policy has {list(theirs)}"]
    pairs = [f"{i}: '{a}' and '{b}'" for i, (a, b) in enumerate(zip(ours, theirs, strict=True)) if a != b]
    return [f"the {what} names differ between robot and policy at {', '.join(pairs)}"]


def _time_differences(spec: RobotSpec, policy: PolicyDeclaration) -> list[str]:
    differences = []
    if policy.step_s is not None and abs(policy.step_s - spec.step_s) > 1e-3 * spec.step_s:
        differences.append(
            f"step_s is {spec.step_s:g} on the robot, the policy was trained at {policy.step_s:g}"
        )
    if policy.n_obs_steps < 1:
        differences.append(f"the policy takes {policy.n_obs_steps} observation steps; at least one is needed")
    return differences
