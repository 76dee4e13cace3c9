# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The policy seam of the multitask DiT: samples, seeds, renamed inputs, caches, and refused requests."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lbm_policy_node.policies.load import load_policy
from lbm_policy_node.policies.multitask_dit.policy import CACHED_INSTRUCTIONS
from lbm_policy_node.policies.policy import ImageFeature

Write = Callable[..., Path]


@pytest.fixture
def policy(small_checkpoint: Write) -> Any:
    return load_policy(small_checkpoint())


def test_spec_counts_rows_from_the_newest_observation(policy: Any) -> None:
    spec = policy.spec
    assert (spec.kind, spec.horizon, spec.n_obs_steps, spec.n_action_steps) == ("multi_task_dit", 7, 2, 4)
    assert (spec.state_dim, spec.action_dim, spec.step_s) == (4, 3, 0.05)
    assert spec.images == (ImageFeature("observation.images.front", 24, 24),)
    assert spec.action_names == ("x", "y", "z") and spec.state_names is None
    assert spec.stochastic and spec.uses_language and not spec.accepts_prefix
    assert len(spec.checkpoint_id) == 16 and int(spec.checkpoint_id, 16) >= 0


@pytest.mark.parametrize("changes", [{}, {"objective": "diffusion"}])
def test_a_sample_does_not_depend_on_how_many_are_drawn(
    small: Any, small_checkpoint: Write, changes: dict[str, Any]
) -> None:
    policy = load_policy(small_checkpoint(**changes))
    history = [small.observation()] * 2
    one, five = (policy.infer(history, n_samples=n, seed=7) for n in (1, 5))
    assert five.shape == (5, 7, 3) and five.dtype == np.float64
    assert np.allclose(one[0], five[0], atol=1e-5)
    assert min(np.abs(five[i] - five[j]).max() for i in range(5) for j in range(i)) > 1e-3


def test_equal_seeds_give_equal_bits_and_leave_torchs_generator_alone(small: Any, policy: Any) -> None:
    history = [small.observation()] * 2
    torch.manual_seed(1)
    expected = torch.randn(1)
    torch.manual_seed(1)
    first = policy.infer(history, n_samples=2, seed=4)
    assert torch.equal(torch.randn(1), expected)
    assert np.array_equal(policy.infer(history, n_samples=2, seed=4), first)
    assert not np.array_equal(policy.infer(history, n_samples=2, seed=5), first)


def test_n_obs_1_wants_one_observation(small: Any, small_checkpoint: Write) -> None:
    policy = load_policy(small_checkpoint(n_obs_steps=1))
    assert policy.infer([small.observation()]).shape == (1, 8, 3)


def test_every_input_changes_the_chunk(small: Any, policy: Any) -> None:
    usual = small.observation()
    image = np.zeros((24, 24, 3), np.uint8)
    others = [
        small.observation(instruction="close the window"),
        small.observation(state=np.zeros(4, np.float32)),
        small.observation(images={"observation.images.front": image}),
    ]
    chunk = policy.infer([usual, usual])
    for other in others:
        assert not np.allclose(policy.infer([usual, other]), chunk, atol=1e-4)


def test_text_is_encoded_once_per_instruction(small: Any, policy: Any) -> None:
    calls = []
    policy.model.observation_encoder.text_encoder.register_forward_hook(lambda *_: calls.append(1))
    for instruction in ("open the door", "open the door", "close the window", "open the door"):
        policy.infer([small.observation(instruction=instruction)] * 2)
    assert len(calls) == 2


def test_instruction_cache_is_bounded(small: Any, policy: Any) -> None:
    for index in range(CACHED_INSTRUCTIONS + 5):
        policy.infer([small.observation(instruction=f"task {index}")] * 2)
    assert len(policy._text) == CACHED_INSTRUCTIONS


def test_observation_is_encoded_once_for_all_samples(small: Any, policy: Any) -> None:
    sizes = []
    policy.model.observation_encoder.vision_encoder.register_forward_hook(
        lambda m, a, out: sizes.append(len(out))
    )
    policy.infer([small.observation()] * 2, n_samples=8)
    assert sizes == [2], "two observation steps, whatever the number of samples"


def test_bfloat16_stays_close(small: Any, small_checkpoint: Write) -> None:
    directory = small_checkpoint()
    full = load_policy(directory).infer([small.observation()] * 2)
    half = load_policy(directory, half=True).infer([small.observation()] * 2)
    assert half.dtype == np.float64
    assert 0 < np.abs(full - half).max() < 0.2


def test_renamed_cameras_arrive_under_their_old_name(small: Any, small_checkpoint: Write) -> None:
    directory = small_checkpoint()
    expected = load_policy(directory).infer([small.observation()] * 2)
    file = directory / "policy_preprocessor.json"
    data = json.loads(file.read_text())
    data["steps"][0]["config"]["rename_map"] = {"observation.images.top": "observation.images.front"}
    file.write_text(json.dumps(data))
    policy = load_policy(directory)
    assert policy.spec.images[0].key == "observation.images.top"
    image = small.observation().images["observation.images.front"]
    history = [small.observation(images={"observation.images.top": image})] * 2
    assert np.array_equal(policy.infer(history), expected)


def test_checkpoint_without_tokenizer_takes_a_path(
    small: Any, small_checkpoint: Write, tmp_path: Path
) -> None:
    directory = small_checkpoint()
    expected = load_policy(directory).infer([small.observation()] * 2)
    (directory / "tokenizer").rename(tmp_path / "elsewhere")
    for path in (tmp_path / "elsewhere", tmp_path / "elsewhere" / "tokenizer.json"):
        found = load_policy(directory, tokenizer=path).infer([small.observation()] * 2)
        assert np.array_equal(found, expected)


@pytest.mark.parametrize(
    ("arguments", "changes", "message"),
    [
        ({"count": 1}, {}, "history has 1"),
        ({"n_samples": 0}, {}, "n_samples is 0"),
        ({"prefix": np.zeros((2, 3))}, {}, "accepts no prefix"),
        ({}, {"state": np.zeros(5, np.float32)}, "state has shape"),
        ({}, {"images": {}}, "lacks 'observation.images.front'"),
        ({}, {"images": {"observation.images.front": np.zeros((24, 32, 3), np.uint8)}}, "has shape"),
    ],
)
def test_requests_that_do_not_fit_are_refused(
    small: Any, policy: Any, arguments: dict[str, Any], changes: dict[str, Any], message: str
) -> None:
    count = arguments.pop("count", 2)
    with pytest.raises(ValueError, match=message):
        policy.infer([small.observation(**changes)] * count, **arguments)
