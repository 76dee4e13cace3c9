# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The transport choice: which variables, and what happens on a machine with small socket buffers."""

from pathlib import Path

import pytest

from lbm_policy_node.graph import transport


def kernel(folder: Path, *, rmem_max: int, wmem_max: int) -> Path:
    """Write a /proc/sys with these limits."""
    (folder / "net" / "core").mkdir(parents=True)
    (folder / "net/core/rmem_max").write_text(f"{rmem_max}\n")
    (folder / "net/core/wmem_max").write_text(f"{wmem_max}\n")
    return folder


def test_large_data_is_set_where_the_kernel_allows_its_buffers(tmp_path: Path) -> None:
    chosen = transport.choose("large_data", proc_sys=kernel(tmp_path, rmem_max=4194304, wmem_max=4194304))
    assert chosen.name == "large_data" and chosen.message == ""
    assert chosen.environment[transport.BUILTIN].startswith("LARGE_DATA?max_msg_size=4MB&sockets_size=4MB")


@pytest.mark.parametrize(
    "limits", [{"rmem_max": 212992, "wmem_max": 4194304}, {"rmem_max": 4194304, "wmem_max": 1}]
)
def test_small_socket_buffers_fall_back_to_mixed_and_say_how_to_raise_them(tmp_path: Path, limits) -> None:
    chosen = transport.choose("large_data", proc_sys=kernel(tmp_path, **limits))
    assert chosen.name == "mixed" and set(chosen.environment) == {transport.PROFILE}
    (key,) = (key for key, value in limits.items() if value < 4_000_000)
    assert f"sudo sysctl -w net.core.{key}=4194304" in chosen.message


def test_unreadable_limits_do_not_stand_in_the_way(tmp_path: Path) -> None:
    assert transport.choose("large_data", proc_sys=tmp_path).name == "large_data"


def test_a_choice_removes_what_another_one_left_in_the_environment() -> None:
    inherited = {transport.BUILTIN: "LARGE_DATA", transport.PROFILE: "/x.xml", "HOME": "/h"}
    assert transport.choose("default").applied_to(inherited) == {"HOME": "/h"}
    assert set(transport.choose("mixed").applied_to(inherited)) == {transport.PROFILE, "HOME"}


@pytest.mark.parametrize(("key", "value"), transport.LOCALHOST.items())
def test_large_data_drops_the_settings_that_would_void_it(key: str, value: str) -> None:
    chosen = transport.choose("large_data")
    assert key not in chosen.applied_to({key: value})
    assert transport.in_force({**chosen.environment, key: value}) == "foreign"
    assert transport.choose("mixed").applied_to({key: value})[key] == value


@pytest.mark.parametrize("name", transport.CHOICES)
def test_choice_in_force_is_recognised(name: str) -> None:
    assert transport.in_force(transport.choose(name).environment) == name


def test_unknown_transport_is_refused_with_the_choices() -> None:
    with pytest.raises(ValueError, match="'udp'; expected one of large_data, mixed, default"):
        transport.choose("udp")
