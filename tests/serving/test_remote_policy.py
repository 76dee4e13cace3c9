# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A policy behind `lbm serve` answers as in this process, and a server that goes comes back."""

import json
import signal
import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from helpers.serve_process import ServeProcess
from lbm_policy_node.policies.checkpoint.errors import CheckpointError, PolicyUnavailable
from lbm_policy_node.policies.load import load_policy
from lbm_policy_node.policies.policy import EmbeddingPolicy
from lbm_policy_node.policies.remote.backoff import FIRST_S, LONGEST_S, BackOff
from lbm_policy_node.policies.remote.connection import Endpoint, RemoteError
from lbm_policy_node.policies.remote.policy import RemotePolicy

pytestmark = pytest.mark.slow

PATIENCE_S = 30.0
MIB = 1 << 20


def remote(url: str, key: str = "", timeout_s: float = 20.0, jpeg_quality: int = 0) -> RemotePolicy:
    return RemotePolicy(Endpoint(url, key, timeout_s, 64 * MIB), jpeg_quality)


def until_available(policy, seen) -> np.ndarray:
    """Ask until the server is back; a test waits no longer than the back-off."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return policy.infer(seen)
        except PolicyUnavailable as error:
            assert time.monotonic() < deadline, error
            time.sleep(0.02)


def test_samples_and_embedding_are_those_of_this_process(golden_server, golden, history):
    local, far = load_policy(golden, threads=1), load_policy(golden_server.url)
    assert far.spec == local.spec
    seen = history(local.spec)
    for n_samples, seed in ((1, 0), (4, 17)):
        expected = local.infer(seen, n_samples=n_samples, seed=seed)
        np.testing.assert_array_equal(far.infer(seen, n_samples=n_samples, seed=seed), expected)
    assert isinstance(far, EmbeddingPolicy) and isinstance(local, EmbeddingPolicy)
    np.testing.assert_array_equal(far.embed(seen), local.embed(seen))
    moved = [replace(o, state=o.state + 0.1) for o in seen]
    np.testing.assert_array_equal(far.embed(moved), local.embed(moved))
    assert far.describe()["server"] == golden_server.url and "parameters" in far.describe()


def test_a_policy_without_embedding_offers_none(server):
    assert not isinstance(load_policy(server.url), EmbeddingPolicy)


def test_jpeg_sends_less_and_moves_the_actions_a_little(golden_server, golden, history):
    local, far = load_policy(golden, threads=1), remote(golden_server.url, jpeg_quality=95)
    smooth = [
        replace(o, images={k: np.full_like(v, 90) for k, v in o.images.items()}) for o in history(local.spec)
    ]
    exact, lossy = local.infer(smooth)[0], far.infer(smooth)[0]
    assert np.abs(lossy - exact).max() < 0.1 * np.abs(exact).max()


def test_cameras_that_the_policy_does_not_know_stay_here(server, history):
    policy = remote(server.url)
    (seen,) = history(policy.spec)
    top = {"observation.images.top": np.zeros((9, 9, 3), np.uint8)}
    more = replace(seen, images={**seen.images, **top}, instruction="")
    assert policy.infer([more]).shape == (1, 16, 4)


def test_a_request_that_does_not_fit_is_refused_before_it_is_sent(server, history):
    policy = remote(server.url)
    with pytest.raises(ValueError, match="history has 0 observations"):
        policy.infer([])
    with pytest.raises(ValueError, match="accepts no prefix"):
        policy.infer(history(policy.spec), prefix=np.zeros((2, 4)))


def test_a_request_above_the_servers_limit_names_limit_and_remedy(tmp_path, history):
    from lbm_policy_node.policies.checkpoint.features import Feature
    from lbm_policy_node.policies.weightless import WeightlessConfig, create_weightless

    inputs = {
        "observation.images.front": Feature("VISUAL", (3, 700, 700)),
        "observation.state": Feature("STATE", (4,)),
    }
    config = WeightlessConfig(inputs, {"action": Feature("ACTION", (4,))}, (0, 1, 2, 3))
    with ServeProcess(create_weightless(tmp_path / "large", config), "--max-message-mb", "1") as server:
        policy, small = remote(server.url), remote(server.url, jpeg_quality=50)
        with pytest.raises(RemoteError, match=r"above the server's limit of 1048576: .*jpeg_quality"):
            policy.infer(history(policy.spec))
        assert small.infer(history(policy.spec)).shape == (1, 16, 4)


def test_a_server_killed_mid_request_is_unavailable_and_comes_back(server, history):
    policy = remote(server.url)
    seen = history(policy.spec)
    before = policy.infer(seen)
    server.signal(signal.SIGSTOP)  # from here on no request can be answered
    caught: list[Exception] = []

    def ask() -> None:
        try:
            policy.infer(seen)
        except PolicyUnavailable as error:
            caught.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    server.kill()
    thread.join(PATIENCE_S)
    assert len(caught) == 1 and server.url in str(caught[0])
    with pytest.raises(PolicyUnavailable, match=r"next attempt in|cannot be reached"):
        policy.infer(seen)
    server.start()
    np.testing.assert_array_equal(until_available(policy, seen), before)


def test_a_restart_while_nobody_asks_goes_unnoticed(server, history):
    policy = remote(server.url)
    seen = history(policy.spec)
    policy.infer(seen)
    server.kill()
    server.start()
    assert policy.infer(seen).shape == (1, 16, 4)


def test_another_checkpoint_after_a_restart_is_refused(server, golden, history):
    policy = remote(server.url)
    seen, was = history(policy.spec), policy.spec.checkpoint_id
    server.kill()
    with (
        ServeProcess(golden, port=server.port),
        pytest.raises(PolicyUnavailable, match=rf"it serves multi_task_dit \w+ now, not weightless {was}"),
    ):
        policy.infer(seen)


def test_closing_ends_an_exchange_in_another_thread(server, history):
    policy = remote(server.url, timeout_s=PATIENCE_S)
    seen = history(policy.spec)
    server.signal(signal.SIGSTOP)
    ended = threading.Event()

    def ask() -> None:
        with pytest.raises(PolicyUnavailable):
            policy.infer(seen)
        ended.set()

    threading.Thread(target=ask, daemon=True).start()
    policy.close()
    assert ended.wait(PATIENCE_S / 2)
    with pytest.raises(PolicyUnavailable, match="was closed"):
        policy.infer(seen)


def test_a_wrong_key_is_named_at_loading_and_while_running(weightless, history, monkeypatch):
    with ServeProcess(weightless, LBM_API_KEY="first") as server:
        with pytest.raises(CheckpointError, match="refuses the API key, or requires one"):
            load_policy(server.url)
        monkeypatch.setenv("LBM_API_KEY", "first")
        policy = load_policy(server.url)
    with (
        ServeProcess(weightless, port=server.port, LBM_API_KEY="second"),
        pytest.raises(PolicyUnavailable, match="401"),
    ):
        policy.infer(history(policy.spec))


def test_a_folder_says_where_the_server_is_and_holds_the_key(weightless, tmp_path):
    with ServeProcess(weightless, LBM_API_KEY="secret") as server:
        (tmp_path / "key").write_text("secret\n")
        config = {
            "type": "remote",
            "url": server.url,
            "api_key_file": str(tmp_path / "key"),
            "jpeg_quality": 90,
        }
        (tmp_path / "config.json").write_text(json.dumps(config))
        assert load_policy(tmp_path).spec == load_policy(weightless).spec


def test_no_server_is_an_error_that_says_how_to_start_one(tmp_path):
    config = {"type": "remote", "url": "ws://127.0.0.1:1", "connect_timeout_s": 0.1}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match=r"ws://127.0.0.1:1 cannot be reached: .*lbm serve"):
        load_policy(tmp_path)


def test_loading_waits_for_a_server_that_is_starting(server, tmp_path):
    server.kill()
    config = {"type": "remote", "url": server.url, "connect_timeout_s": PATIENCE_S}
    (tmp_path / "config.json").write_text(json.dumps(config))
    starter = threading.Timer(0.3, server.start)
    starter.start()
    assert load_policy(tmp_path).spec.kind == "weightless"
    starter.join()


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"url": "http://127.0.0.1:8000"}, "url"),
        ({"url": "ws://"}, "url"),
        ({"url": "ws://me:secret@host"}, "without a name or key"),
        ({"url": 5}, "url"),
        ({"jpeg_quality": 101}, "jpeg_quality"),
        ({"reply_timeout_s": 0}, "reply_timeout_s"),
        ({"api_key": "secret"}, "api_key: unknown field"),
        ({"api_key_file": "/nowhere"}, "/nowhere"),
        ({"openpi": 5}, "openpi"),
        ({"openpi": {}}, "openpi: a field is missing"),
    ],
)
def test_a_wrong_configuration_is_refused_by_field(tmp_path, changes, named):
    config = {"type": "remote", "url": "ws://127.0.0.1:1", **changes}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match=r"config\.json|nowhere") as caught:
        load_policy(tmp_path)
    assert named in str(caught.value)


def test_back_off_doubles_to_a_limit_and_ends_with_success():
    now = [100.0]
    backoff, waits = BackOff(lambda: now[0]), []
    assert backoff.remaining_s() == 0.0
    for _ in range(8):
        backoff.fail()
        waits.append(backoff.remaining_s())
        now[0] += waits[-1]
        assert backoff.remaining_s() == 0.0
    assert waits[:4] == [FIRST_S, 2 * FIRST_S, 4 * FIRST_S, 8 * FIRST_S] and waits[-1] == LONGEST_S
    backoff.fail()
    backoff.succeed()
    assert backoff.remaining_s() == 0.0
