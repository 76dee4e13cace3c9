# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Only this machine reaches the server, unless the user gives a key or says otherwise."""

import pytest

from lbm_policy_node.serving.access import (
    AccessError,
    check_exposure,
    is_authorized,
    is_loopback,
    read_api_key,
)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_needs_no_key_and_no_warning(host):
    assert is_loopback(host) and check_exposure(host, "", allow_unauthenticated=False) == ""


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "gpu.lab.example", ""])
def test_the_network_without_a_key_is_refused_unless_allowed(host):
    with pytest.raises(AccessError, match="--allow-unauthenticated-network"):
        check_exposure(host, "", allow_unauthenticated=False)
    assert "anyone who can reach" in check_exposure(host, "", allow_unauthenticated=True)


def test_the_network_with_a_key_is_warned_about_for_lack_of_encryption():
    assert "unencrypted" in check_exposure("0.0.0.0", "secret", allow_unauthenticated=False)


def test_the_key_comes_from_the_file_else_from_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("LBM_API_KEY", "from the environment")
    (tmp_path / "key").write_text("from the file\n")
    assert read_api_key(tmp_path / "key") == "from the file"
    assert read_api_key(None) == "from the environment"
    monkeypatch.delenv("LBM_API_KEY")
    assert read_api_key(None) == ""


@pytest.mark.parametrize("content", [b"", b" \n", b"\xff\xfe", "schlüssel".encode()])
def test_a_file_without_a_key_is_refused(tmp_path, content):
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(AccessError, match="key"):
        read_api_key(tmp_path / "key")
    with pytest.raises(AccessError, match="nowhere"):
        read_api_key(tmp_path / "nowhere")


@pytest.mark.parametrize("header", [None, "", "secret", "Api-Key Secret", "Bearer secret", "Api-Key secret "])
def test_only_the_exact_header_authorizes(header):
    assert is_authorized("Api-Key secret", "secret") and is_authorized(header, "")
    assert not is_authorized(header, "secret")
