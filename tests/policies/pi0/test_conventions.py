# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The conventions of the reference, one test each, against formulas written here a second time."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from lbm_policy_node.policies.checkpoint.features import MASK_KEY, STATE_KEY, TOKENS_KEY
from lbm_policy_node.policies.pi0.flow import draw_times, embed_time, integrate, times, training_pair
from lbm_policy_node.policies.pi0.images import resize_with_padding, to_network
from lbm_policy_node.policies.pi0.network.gemma import AdaptiveRmsNorm, RmsNorm, rotate
from lbm_policy_node.policies.pi0.network.joint import joint_sample
from lbm_policy_node.policies.pi0.network.modulation import TimeTable
from lbm_policy_node.policies.pi0.prompt import pi0_prompt, pi05_prompt
from lbm_policy_node.policies.pi0.relative import RelativeActions

BOTH = pytest.mark.parametrize("kind", ["pi0", "pi05"])


def test_time_one_is_noise_and_time_zero_the_action() -> None:
    actions, noise = torch.zeros(2, 3, 4), torch.ones(2, 3, 4)
    x, velocity = training_pair(actions, noise, torch.tensor([1.0, 0.25]))
    assert torch.equal(x[0], noise[0])
    assert torch.equal(x[1], 0.25 * noise[1])
    assert torch.equal(velocity, noise - actions)


def test_integration_goes_from_one_down_to_one_step_above_zero() -> None:
    asked: list[float] = []

    def velocity(x: torch.Tensor, t: float) -> torch.Tensor:
        asked.append(t)
        return torch.full_like(x, 2.0)

    end = integrate(velocity, torch.ones(1, 1, 1), 4)
    assert asked == list(times(4)) == [1.0, 0.75, 0.5, 0.25]
    assert end.item() == pytest.approx(-1.0)


def test_training_times_favour_noise_and_avoid_zero(small: Any) -> None:
    torch.manual_seed(0)
    drawn = draw_times(small.config(), 20_000, torch.device("cpu"))
    assert drawn.min() >= 0.001 and drawn.max() <= 1.0
    assert drawn.mean().item() == pytest.approx(0.001 + 0.999 * 1.5 / 2.5, abs=0.01)


def test_time_embedding_is_sine_then_cosine_of_log_spaced_periods() -> None:
    t, size = 0.37, 8
    periods = [4e-3 * (4.0 / 4e-3) ** (k / (size // 2 - 1)) for k in range(size // 2)]
    angles = [2 * math.pi * np.float64(np.float32(t)) / period for period in periods]
    expected = [*map(math.sin, angles), *map(math.cos, angles)]
    found = embed_time(torch.tensor([t]), size, 4e-3, 4.0)
    np.testing.assert_allclose(found[0].numpy(), expected, atol=1e-6)


def test_images_are_padded_in_the_middle_and_the_border_is_minus_one() -> None:
    image = torch.ones(1, 3, 20, 32)
    fitted = to_network(image, (28, 28))
    # 32 wide to 28: 17.5 rows, cut to 17; 11 rows of border, 5 above and 6 below
    assert fitted.shape == (1, 3, 28, 28)
    assert (fitted[:, :, :5] == -1).all() and (fitted[:, :, 22:] == -1).all()
    assert (fitted[:, :, 5:22] > 0.999).all()


def test_images_are_resized_without_antialiasing() -> None:
    image = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    plain = functional.interpolate(image, size=(28, 28), mode="bilinear", align_corners=False)
    smooth = functional.interpolate(image, size=(28, 28), mode="bilinear", antialias=True)
    found = resize_with_padding(image, (28, 28))
    assert torch.equal(found, plain.clamp(0, 1))
    assert (found - smooth).abs().max() > 0.05


def test_tall_images_get_their_border_left_and_right() -> None:
    fitted = to_network(torch.ones(1, 3, 40, 21), (28, 28))
    assert (fitted[..., :7] == -1).all() and (fitted[..., 21:] == -1).all()
    assert (fitted[..., 7:21] > 0.999).all()


def test_rms_norm_multiplies_by_one_plus_weight() -> None:
    norm, x = RmsNorm(4), torch.tensor([[1.0, -2.0, 3.0, 0.5]])
    with torch.no_grad():
        norm.weight.copy_(torch.tensor([0.0, 1.0, -1.0, 0.5]))
    rms = math.sqrt(float(x.square().mean()) + 1e-6)
    torch.testing.assert_close(norm(x)[0], x / rms * torch.tensor([1.0, 2.0, 0.0, 1.5]))


def test_adaptive_norm_reads_scale_then_shift_then_gate() -> None:
    norm, x = AdaptiveRmsNorm(2), torch.tensor([[[3.0, 4.0]]])
    modulation = torch.tensor([[[1.0, 1.0, 10.0, 20.0, 0.5, 0.25]]])
    out, gate = norm(x, modulation)
    rms = math.sqrt(12.5 + 1e-6)
    torch.testing.assert_close(out, x / rms * 2 + torch.tensor([10.0, 20.0]))
    torch.testing.assert_close(gate, torch.tensor([[[0.5, 0.25]]]))


def test_rope_rotates_halves_not_neighbours() -> None:
    angles = torch.tensor([0.3, 1.1])
    x = torch.tensor([1.0, 2.0, 3.0, 4.0])
    expected = [1 * math.cos(0.3) - 3 * math.sin(0.3), 2 * math.cos(1.1) - 4 * math.sin(1.1)]
    expected += [3 * math.cos(0.3) + 1 * math.sin(0.3), 4 * math.cos(1.1) + 2 * math.sin(1.1)]
    np.testing.assert_allclose(rotate(x, angles).numpy(), expected, rtol=1e-6)


def test_embeddings_are_scaled_by_the_root_of_the_width(small: Any) -> None:
    language = small.model().paligemma_with_expert.paligemma.model.language_model
    tokens = torch.tensor([[5, 7]])
    torch.testing.assert_close(language.embed(tokens), language.embed_tokens.weight[tokens] * 8.0)
    half = language.to(torch.bfloat16)
    assert half.embed(tokens).dtype == torch.bfloat16


@BOTH
def test_cached_prefix_equals_the_joint_pass_of_the_reference(small: Any, kind: str) -> None:
    model, batch = small.model(kind), small.batch()
    fast = model.sample(model.encode(batch), small.noise(), 4)
    torch.testing.assert_close(fast, joint_sample(model, batch, small.noise(), 4), atol=1e-5, rtol=0)


@BOTH
def test_missing_camera_equals_a_masked_black_one(small: Any, kind: str) -> None:
    model, batch = small.model(kind), small.batch()
    whole = model.sample(model.encode(batch), small.noise())
    del batch[small.front]
    fast = model.sample(model.encode(batch), small.noise())
    torch.testing.assert_close(fast, joint_sample(model, batch, small.noise(), 4), atol=1e-5, rtol=0)
    assert (fast - whole).abs().max() > 1e-3


def test_padded_words_change_nothing(small: Any) -> None:
    model, batch = small.model(), small.batch(1)
    expected = model.sample(model.encode(batch), small.noise(1))
    batch[TOKENS_KEY] = functional.pad(batch[TOKENS_KEY], (0, 5), value=9)
    batch[MASK_KEY] = functional.pad(batch[MASK_KEY], (0, 5))
    context = model.encode(batch)
    assert context.valid is None, "with one observation there is no padding left"
    assert torch.equal(model.sample(context, small.noise(1)), expected)


def test_batch_of_two_equals_two_batches_of_one(small: Any) -> None:
    model, batch = small.model(), small.batch(2)
    both = model.sample(model.encode(batch), small.noise(2))
    for row in range(2):
        one = {key: value[row : row + 1] for key, value in batch.items()}
        alone = model.sample(model.encode(one), small.noise(2)[row : row + 1])
        torch.testing.assert_close(alone, both[row : row + 1], atol=1e-5, rtol=0)


@BOTH
def test_state_enters_as_a_token_only_in_pi0(small: Any, kind: str) -> None:
    model, batch = small.model(kind), small.batch()
    before = model.sample(model.encode(batch), small.noise())
    after = model.sample(model.encode({**batch, STATE_KEY: batch[STATE_KEY] + 1}), small.noise())
    assert torch.equal(before, after) == (kind == "pi05")


def test_loss_counts_only_the_real_action_columns(small: Any) -> None:
    model, batch = small.model(), small.batch()
    t = torch.tensor([0.3, 0.9])
    context = model.encode(batch)
    padded = functional.pad(batch["action"], (0, 3))
    x = t[:, None, None] * small.noise() + (1 - t[:, None, None]) * padded
    error = (model.velocity(context, x, t) - (small.noise() - padded)).square()
    found = model.loss(batch, small.noise(), t)
    assert found.item() == pytest.approx(error[..., :4].mean().item(), rel=1e-6)
    assert found.item() != pytest.approx(error.mean().item(), rel=1e-3)


def test_weights_and_draws_of_the_loss(small: Any) -> None:
    model, batch = small.model(), small.batch()
    t, noise = torch.tensor([0.3, 0.5, 0.7, 0.9]), small.noise(4)
    whole = model.loss(batch, noise, t, draws=2)
    halves = [
        model.loss({k: v[row : row + 1] for k, v in batch.items()}, noise[2 * row :][:2], t[2 * row :][:2], 2)
        for row in range(2)
    ]
    assert whole.item() == pytest.approx(torch.stack(halves).mean().item(), rel=1e-5)
    nothing = model.loss({**batch, "action_weight": torch.zeros(2, 6)}, noise, t, draws=2)
    assert nothing.item() == 0.0


def test_table_of_modulations_equals_computing_them(small: Any) -> None:
    model, batch = small.model("pi05"), small.batch()
    context = model.encode(batch)
    table = TimeTable.of(model, 4)
    torch.testing.assert_close(
        model.sample(context, small.noise(), 4, table=table), model.sample(context, small.noise(), 4)
    )


@BOTH
def test_samples_read_one_prefix_and_do_not_depend_on_their_number(small: Any, kind: str) -> None:
    model, batch = small.model(kind), small.batch(1)
    context = model.encode(batch)
    assert all(len(cache.key) == 1 for cache in context.caches)
    many = model.sample(context, small.noise(5))
    assert all(len(cache.key) == 1 for cache in context.caches)
    one = model.sample(context, small.noise(5)[:1])
    torch.testing.assert_close(many[:1], one, atol=1e-6, rtol=0)
    assert (many[0] - many[1]).abs().max() > 0.1


def test_pi0_prompt_ends_with_one_line_break() -> None:
    assert pi0_prompt("open the door") == "open the door\n" == pi0_prompt("open the door\n")


def test_pi05_prompt_holds_the_state_in_256_bins() -> None:
    state = np.array([-1.5, -1.0, -0.99, 0.0, 0.999, 1.0, 3.0], dtype=np.float32)
    expected = "Task: open the door, State: -1 0 1 128 255 255 255;\nAction: "
    assert pi05_prompt(" open_the\ndoor ", state) == expected


def test_relative_actions_leave_excluded_joints_alone() -> None:
    rule = RelativeActions(True, ("Gripper",), ("a", "left_gripper.pos", "c"))
    assert rule.mask(4).tolist() == [True, False, True, True]
    actions, state = np.ones((2, 3, 4)), np.array([10.0, 20.0, 30.0, 40.0, 50.0])
    relative = rule.to_relative(actions, state)
    assert relative[0, 0].tolist() == [-9.0, 1.0, -29.0, -39.0]
    np.testing.assert_allclose(rule.to_absolute(relative, state), actions)


def test_relative_actions_without_names_are_relative_everywhere() -> None:
    assert RelativeActions(True, ("gripper",), None).mask(3).all()
    assert not RelativeActions(False).mask(3).any()
    np.testing.assert_array_equal(
        RelativeActions(False).to_relative(np.ones((2, 3)), np.ones(1)), np.ones((2, 3))
    )
