# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""How a graph's processes exchange images: one choice that becomes environment variables.

Fast DDS as it comes loses 640x480 images, because its shared-memory segment is smaller than one.
docs/transport.md has the measurements and the other middlewares.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lbm_policy_node.paths import shared_path

CHOICES = ("large_data", "mixed", "default")
MIXED_PROFILE = "config/transport/fastdds_mixed.xml"
BUILTIN = "FASTDDS_BUILTIN_TRANSPORTS"
PROFILE = "FASTRTPS_DEFAULT_PROFILES_FILE"  # the name that Fast DDS 2.x reads
VARIABLES = (BUILTIN, PROFILE, "FASTDDS_DEFAULT_PROFILES_FILE")
LOCALHOST = {"ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST", "ROS_LOCALHOST_ONLY": "1"}
"""With one of these rmw_fastrtps installs transports of its own in place of ``large_data``, silently."""

_SOCKET_BYTES = 4_000_000
_LARGE_DATA = "LARGE_DATA?max_msg_size=4MB&sockets_size=4MB&non_blocking=true&tcp_negotiation_timeout=50"
_KERNEL_LIMITS = ("net/core/rmem_max", "net/core/wmem_max")


@dataclass(frozen=True)
class Transport:
    """What a choice means on this machine.

    Attributes:
        name: The choice in force, one of CHOICES; may differ from the one asked for.
        environment: Variables that every process of the graph gets; the other VARIABLES are to be unset.
        message: Why the choice was changed; empty when it was not.
    """

    name: str
    environment: Mapping[str, str] = field(default_factory=dict)
    message: str = ""

    def applied_to(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Return an environment with this transport in it and no remains of another."""
        drop = set(VARIABLES)
        if self.name == "large_data":
            drop |= {key for key, value in LOCALHOST.items() if environment.get(key) == value}
        return {**{key: value for key, value in environment.items() if key not in drop}, **self.environment}


def choose(name: str, *, proc_sys: Path = Path("/proc/sys")) -> Transport:
    """Turn a choice into environment variables.

    ``large_data`` is the fastest, and all or nothing: only processes that all have it see each other.
    ``mixed`` makes the publishers' segments large enough and stays visible to nodes on default settings.
    ``default`` sets nothing.

    Args:
        name: One of CHOICES.
        proc_sys: Where the kernel's limits are read.

    Raises:
        ValueError: Another name.
    """
    if name not in CHOICES:
        raise ValueError(f"transport is '{name}'; expected one of {', '.join(CHOICES)}")
    if name == "large_data":
        too_small = small_kernel_limits(proc_sys)
        if too_small:
            return Transport(
                "mixed", _mixed_environment(), f"transport mixed instead of large_data: {too_small}"
            )
        return Transport(name, {BUILTIN: _LARGE_DATA})
    return Transport(name, _mixed_environment() if name == "mixed" else {})


def small_kernel_limits(proc_sys: Path = Path("/proc/sys")) -> str:
    """Say which socket buffer limits are too small for ``large_data`` and how to raise them; empty: none.

    With smaller limits Fast DDS drops the transport and the node lives on, receiving nothing.
    """
    limits = {key.replace("/", "."): kernel_limit(key, proc_sys) for key in _KERNEL_LIMITS}
    small = {key: value for key, value in limits.items() if value is not None and value < _SOCKET_BYTES}
    if not small:
        return ""
    values = ", ".join(f"{key} is {value}" for key, value in small.items())
    command = " ".join(f"{key}=4194304" for key in small)
    return f"{values}; at least {_SOCKET_BYTES} is needed: sudo sysctl -w {command}"


def kernel_limit(key: str, proc_sys: Path = Path("/proc/sys")) -> int | None:
    """Read a limit such as "net/core/rmem_max"; None where the kernel does not show it (some containers)."""
    try:
        return int((proc_sys / key).read_text())
    except OSError:
        return None


def in_force(environment: Mapping[str, str]) -> str:
    """Name the choice that an environment stands for, "foreign" for settings that are not ours."""
    builtin, profile = environment.get(BUILTIN, ""), environment.get(PROFILE, "")
    if not builtin and not profile:
        return "default"
    if builtin.startswith("LARGE_DATA") and not profile:
        voided = any(environment.get(key) == value for key, value in LOCALHOST.items())
        return "foreign" if voided else "large_data"
    return "mixed" if Path(profile).name == Path(MIXED_PROFILE).name and not builtin else "foreign"


def _mixed_environment() -> dict[str, str]:
    return {PROFILE: str(shared_path(MIXED_PROFILE))}
