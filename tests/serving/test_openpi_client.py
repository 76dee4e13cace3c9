# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The published openpi-client, unchanged, gets from `lbm serve` what the policy computes in this process."""

import numpy as np
import pytest
from openpi_client.websocket_client_policy import WebsocketClientPolicy

from helpers.serve_process import ServeProcess
from lbm_policy_node.paths import shared_path
from lbm_policy_node.policies.load import load_policy

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=["golden", "mt10"])
def served(request, golden):
    """A server, and the same policy in this process."""
    checkpoint = golden if request.param == "golden" else shared_path("checkpoints/mt10")
    with ServeProcess(checkpoint) as server:
        yield server, load_policy(checkpoint, threads=1)


def observation(history):
    """What an openpi client would send; several observation steps lie on a leading axis."""
    stack = np.stack if len(history) > 1 else lambda values: values[0]
    images = {key.replace(".", "/"): stack([o.images[key] for o in history]) for key in history[0].images}
    return {
        **images,
        "observation/state": stack([o.state for o in history]),
        "prompt": history[-1].instruction,
    }


def test_actions_are_those_of_the_policy_in_this_process(served, history):
    server, policy = served
    client = WebsocketClientPolicy("127.0.0.1", server.port)
    assert client.get_server_metadata()["policy"]["checkpoint_id"] == policy.spec.checkpoint_id
    seen = history(policy.spec)
    for seed in range(3):
        reply = client.infer(observation(seen))
        np.testing.assert_array_equal(reply["actions"], policy.infer(seen, seed=seed)[0])
        assert reply["server_timing"]["infer_ms"] > 0 and reply["policy_timing"]["infer_ms"] > 0
    reply = client.infer({**observation(seen), "seed": 40, "n_samples": 2})
    np.testing.assert_array_equal(reply["samples"], policy.infer(seen, seed=40, n_samples=2))


def test_an_error_reaches_the_client_as_text_and_the_connection_goes_on(served, history):
    server, policy = served
    client = WebsocketClientPolicy("127.0.0.1", server.port)
    whole = observation(history(policy.spec))
    with pytest.raises(RuntimeError, match=r"'observation.state' is missing"):
        client.infer({key: value for key, value in whole.items() if not key.endswith("state")})
    assert client.infer(whole)["actions"].shape == (policy.spec.horizon, policy.spec.action_dim)


def test_its_api_key_opens_the_server(weightless):
    with ServeProcess(weightless, LBM_API_KEY="secret") as server:
        client = WebsocketClientPolicy("127.0.0.1", server.port, api_key="secret")
        assert client.get_server_metadata()["policy"]["kind"] == "weightless"
