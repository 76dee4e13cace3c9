# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What is known when an episode begins: episode.json beside the bag, and a copy of the spec."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from lbm_policy_node.data.bags.bag_errors import BagError
from lbm_policy_node.data.bags.bag_metadata import write_durably

FORMAT = 1
HEADER_FILE, SPEC_FILE = "episode.json", "robot.yaml"
ROLES = {
    "action_chunks": "lbm_msgs/msg/ActionChunk",
    "monitor_verdicts": "lbm_msgs/msg/MonitorVerdict",
    "control_state": "lbm_msgs/msg/ControlState",
    "policy_status": "lbm_msgs/msg/PolicyStatus",
    "episode_events": "lbm_msgs/msg/EpisodeEvent",
}
"""What of the graph itself is recorded, beside the topics that the robot spec names."""
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


@dataclass(frozen=True, kw_only=True)
class EpisodeHeader:
    """The facts of the beginning; what happens later is in the bag's messages.

    Attributes:
        episode_id: Name of the episode and of its folder.
        started_at: Wall time of the beginning, ISO 8601 with zone.
        started_ns: ROS time of the beginning.
        instruction: In force at the beginning; empty when there is none.
        robot: Name in the robot spec.
        roles: Key of ROLES to the absolute topic it was recorded from.
        checkpoint_id: Hash of the weights; empty without a policy.
        calibration_id: Of the monitor; empty without one.
        software_version: Of lbm_policy.
        format: Version of this file.

    Raises:
        ValueError: The id is no plain file name, the format is newer, or a role is unknown.
    """

    episode_id: str
    started_at: str
    started_ns: int
    instruction: str
    robot: str
    roles: Mapping[str, str]
    checkpoint_id: str = ""
    calibration_id: str = ""
    software_version: str = ""
    format: int = FORMAT

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.episode_id):
            raise ValueError(f"episode_id '{self.episode_id}' must be a plain file name")
        if self.format != FORMAT:
            raise ValueError(f"format is {self.format}, this version reads {FORMAT}; update lbm_policy")
        if unknown := set(self.roles) - set(ROLES):
            raise ValueError(f"unknown roles {sorted(unknown)}; known: {sorted(ROLES)}")

    def write(self, folder: Path, spec_text: str) -> None:
        """Write episode.json and robot.yaml, safe against a crash."""
        folder.mkdir(parents=True, exist_ok=True)
        write_durably(folder / SPEC_FILE, spec_text)
        write_durably(folder / HEADER_FILE, json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n")

    @classmethod
    def read(cls, folder: Path) -> EpisodeHeader:
        """Read episode.json.

        Raises:
            BagError: It is missing or is not what `write` wrote.
        """
        path = folder / HEADER_FILE
        try:
            values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            known = {field.name for field in fields(cls)}
            if unknown := set(values) - known:
                raise ValueError(f"unknown keys {sorted(unknown)}; known: {sorted(known)}")
            return cls(**values)
        except OSError as error:
            raise BagError(f"'{folder}' is no recorded episode: {path.name}: {error.strerror}") from error
        except (ValueError, TypeError, AttributeError) as error:
            raise BagError(f"'{path}' is no header of an episode: {error}") from error
