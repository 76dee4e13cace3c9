# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The contract between a robot's topics and a policy's features: one YAML file per robot."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from lbm_policy_node.core.spec.spec_actions import ActionSpec, read_action
from lbm_policy_node.core.spec.spec_limits import LimitsSpec, read_limits
from lbm_policy_node.core.spec.spec_reader import SpecError, SpecReader
from lbm_policy_node.core.spec.spec_streams import (
    ImageSpec,
    Selection,
    StreamSpec,
    read_images,
    read_selection,
    read_streams,
)
from lbm_policy_node.core.spec.spec_teleop import TeleopSource, read_teleop

__all__ = ["RobotSpec", "SpecError"]


@dataclass(frozen=True)
class RobotSpec:
    """One robot: what it publishes, what the policy sees of it, which commands it takes, and its limits.

    Attributes:
        file: Where it was read from, for messages.
        name: Name of the robot, for messages and records.
        step_s: Time between action rows and between observation steps.
        control_rate_hz: Rate of the executor's tick and of streamed commands.
        base_frame: Frame of Cartesian targets and poses.
        max_skew_s: Largest stamp difference between the streams of one observation.
        streams: The topics that observations are built from, by name.
        images: The image features of the policy, by feature key.
        state: The proprio layout, in order.
        action: The action layout.
        limits: The planning limits.
        teleop: The operator's devices, highest priority first; empty where no operator takes over.
    """

    file: str
    name: str
    step_s: float
    control_rate_hz: float
    base_frame: str
    max_skew_s: float
    streams: Mapping[str, StreamSpec]
    images: Mapping[str, ImageSpec]
    state: tuple[Selection, ...]
    action: ActionSpec
    limits: LimitsSpec
    teleop: tuple[TeleopSource, ...] = ()

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "RobotSpec":
        """Read a spec file.

        Raises:
            SpecError: If the file cannot be read, is not YAML, or a key is unknown, missing or wrong.
        """
        file = str(path)
        try:
            values = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        except OSError as error:
            raise SpecError(file, "(file)", error.strerror, "expected a readable robot spec") from error
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise SpecError(file, "(file)", str(error), "expected valid YAML") from error
        return cls.from_mapping(values, file=file)

    @classmethod
    def from_mapping(cls, values: object, *, file: str = "(mapping)") -> "RobotSpec":
        """Read a spec from what yaml.safe_load returned.

        Raises:
            SpecError: If a key is unknown, missing or wrong.
        """
        reader = SpecReader(file, "", values)
        base_frame = reader.text("base_frame")
        streams = read_streams(reader.mapping("streams"), base_frame)
        action = read_action(reader.mapping("action"), streams, base_frame)
        spec = cls(
            file=file,
            name=reader.text("name"),
            step_s=reader.number("step_s", above=0.0),
            control_rate_hz=reader.number("control_rate_hz", above=0.0),
            base_frame=base_frame,
            max_skew_s=reader.number("max_skew_s", above=0.0),
            streams=streams,
            images=read_images(reader.mapping("images"), streams),
            state=tuple(read_selection(entry, streams) for entry in reader.items("state")),
            action=action,
            limits=(limits := read_limits(reader.mapping("limits"), action)),
            teleop=read_teleop(reader, action, limits, base_frame) if reader.has("teleop") else (),
        )
        reader.close()
        if len(set(spec.state_names)) != spec.state_dim:
            raise reader.fail("state", f"state names must differ, got {list(spec.state_names)}; set `names:`")
        return spec

    @property
    def step_ns(self) -> int:
        """Time between action rows in nanoseconds."""
        return round(self.step_s * 1e9)

    @property
    def max_skew_ns(self) -> int:
        """Largest stamp difference in nanoseconds."""
        return round(self.max_skew_s * 1e9)

    @property
    def state_names(self) -> tuple[str, ...]:
        """Name of each number of the state vector."""
        return tuple(name for selection in self.state for name in selection.names)

    @property
    def state_dim(self) -> int:
        """Size of the state vector."""
        return len(self.state_names)

    @property
    def action_names(self) -> tuple[str, ...]:
        """Name of each column of the action."""
        return self.action.names

    @property
    def action_dim(self) -> int:
        """Size of the action."""
        return self.action.dim

    @property
    def observation_streams(self) -> tuple[StreamSpec, ...]:
        """The streams that observations are built from, images first."""
        used = [image.stream for image in self.images.values()] + [
            selection.stream for selection in self.state
        ]
        return tuple(self.streams[name] for name in dict.fromkeys(used))

    @property
    def feedback_streams(self) -> tuple[StreamSpec, ...]:
        """The streams that measure what is commanded."""
        used = [block.feedback.stream for block in self.action.blocks if block.feedback]
        return tuple(self.streams[name] for name in dict.fromkeys(used))
