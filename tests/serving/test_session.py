# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""One client's requests, as bytes: right answers, and a sentence for everything else."""

import numpy as np
import pytest

from lbm_policy_node.messages.packing import pack, unpack
from lbm_policy_node.policies.checkpoint.errors import PolicyUnavailable
from lbm_policy_node.policies.load import load_policy
from lbm_policy_node.policies.remote.requests import EMBED, InferRequest, write_request
from lbm_policy_node.serving.openpi_observation import KeyMap
from lbm_policy_node.serving.session import Session


@pytest.fixture
def policy(weightless):
    return load_policy(weightless)


@pytest.fixture
def session(policy):
    return Session(policy, KeyMap(policy.spec))


@pytest.fixture
def request_map(policy, history):
    """A good request of our own, as the map that travels."""
    return write_request(InferRequest(history(policy.spec), n_samples=3, seed=5), 0)


def answered(session, message):
    """The reply to a request that must be answered."""
    reply = session.answer(pack(message))
    assert isinstance(reply, bytes), reply
    return unpack(reply)


def openpi_observation(policy, history, **changes):
    (newest,) = history(policy.spec)
    images = {f"observation/{key.rpartition('.')[2]}": image for key, image in newest.images.items()}
    return {**images, "observation/state": newest.state, "prompt": "open the door", **changes}


def test_our_request_is_answered_with_every_sample(session, policy, history, request_map):
    reply = answered(session, request_map)
    np.testing.assert_array_equal(reply["samples"], policy.infer(history(policy.spec), n_samples=3, seed=5))
    assert reply["server_timing"]["infer_ms"] > 0 and "prev_total_ms" not in reply["server_timing"]


def test_an_openpi_observation_is_answered_with_one_chunk_and_timing(session, policy, history):
    session.previous_total_ms = 12.5
    reply = answered(session, openpi_observation(policy, history))
    assert reply["actions"].shape == (policy.spec.horizon, policy.spec.action_dim)
    assert reply["server_timing"]["prev_total_ms"] == 12.5 and reply["policy_timing"]["infer_ms"] > 0


def test_keys_are_found_nested_dotted_slashed_and_by_what_a_camera_shows(policy, history):
    (newest,) = history(policy.spec)
    front, wrist = (newest.images[f"observation.images.{name}"] for name in ("front", "wrist"))
    forms = [
        {
            "observation.images.front": front,
            "observation.images.wrist": wrist,
            "observation.state": newest.state,
        },
        {"observation/image": front, "observation/wrist_image": wrist, "observation/state": newest.state},
        {"images": {"front": front, "wrist": wrist}, "state": newest.state},
        {"observation": {"images": {"front": front, "wrist": wrist}, "state": newest.state}},
        {"top": front.transpose(2, 0, 1), "observation/wrist": wrist, "state": newest.state, "unknown": 1},
    ]
    keys = KeyMap(policy.spec, {"top": "observation.images.front"})
    replies = [answered(Session(policy, keys), {**form, "prompt": "go"})["actions"] for form in forms]
    for actions in replies:
        np.testing.assert_array_equal(actions, replies[0])


def test_a_further_key_must_mean_something(policy):
    with pytest.raises(ValueError, match=r"observation\.images\.top"):
        KeyMap(policy.spec, {"top": "observation.images.top"})


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"observation/state": None}, "'observation.state' is NoneType"),
        ({"observation/state": np.zeros(3)}, "(3,), expected (4,)"),
        ({"observation/state": np.array([0.0, np.nan, 0.0, 0.0])}, "finite"),
        ({"observation/state": np.zeros((2, 4))}, "2 steps"),
        ({"observation/front": np.zeros((32, 32, 3), np.uint8)}, "(32, 32, 3); expected uint8"),
        ({"observation/front": np.zeros((128, 128, 3), np.float32)}, "float32"),
        ({"observation/front": b"bytes"}, "bytes"),
        ({"observation.images.front": np.zeros((128, 128, 3), np.uint8)}, "is there under"),
        ({"prompt": 7}, "the prompt is a int"),
        ({"n_samples": 10_000}, "n_samples is 10000"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": 1.5}, "seed is 1.5"),
    ],
)
def test_a_wrong_openpi_observation_is_refused_by_name(session, policy, history, changes, named):
    text = session.answer(pack(openpi_observation(policy, history, **changes)))
    assert isinstance(text, str) and named in text, text
    assert isinstance(session.answer(pack(openpi_observation(policy, history))), bytes)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"lbm_policy": 2}, "version 2 of lbm_policy; this server speaks 1"),
        ({"wants": "pickles"}, "'pickles'"),
        ({"wants": EMBED}, "has no embedding"),
        ({"history": []}, "the history is 0; expected 1"),
        ({"history": 5}, "the history is int"),
        ({"history": [3]}, "not a map with images"),
        ({"history": [{"images": {}, "state": np.zeros(4, np.float32)}]}, "lacks 'observation.images"),
        ({"history": [{"images": {"x": 1}, "state": np.zeros(4)}]}, "knows no camera 'x'"),
        ({"n_samples": 0}, "n_samples is 0"),
        ({"n_samples": True}, "n_samples is True"),
        ({"prefix": np.zeros((2, 4))}, "accepts no prefix"),
        ({"prefix": np.zeros((2, 5))}, "the prefix is no array"),
    ],
)
def test_a_wrong_request_of_ours_is_refused_by_name(session, request_map, changes, named):
    text = session.answer(pack({**request_map, **changes}))
    assert isinstance(text, str) and named in text, text
    assert isinstance(session.answer(pack(request_map)), bytes)


@pytest.mark.parametrize("message", ["a text", b"\xc1", b"", pack([1, 2]), pack(None), b"\x80\x80"])
def test_what_is_no_request_gets_a_sentence(session, message):
    assert isinstance(session.answer(message), str)


class Broken:
    """A policy that answers in its own way."""

    def __init__(self, policy, answer):
        self.spec, self._answer = policy.spec, answer

    def infer(self, history, *, n_samples=1, seed=0, prefix=None):
        return self._answer()


def _raise(error):
    raise error


@pytest.mark.parametrize(
    ("answer", "named"),
    [
        (lambda: np.full((3, 16, 4), np.nan), "NaN or infinity"),
        (lambda: _raise(RuntimeError("out of memory")), "the policy failed: RuntimeError: out of memory"),
        (lambda: _raise(PolicyUnavailable("ws://x is away")), "not available: ws://x is away"),
    ],
)
def test_a_failing_policy_is_an_error_text_and_never_an_action(policy, request_map, answer, named):
    text = Session(Broken(policy, answer), KeyMap(policy.spec)).answer(pack(request_map))
    assert isinstance(text, str) and named in text
