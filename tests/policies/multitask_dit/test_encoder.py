# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The observation encoder: layout of the conditioning vector, crops and resizing."""

from typing import Any

import pytest
import torch

from lbm_policy_node.policies.checkpoint.errors import CheckpointError
from lbm_policy_node.policies.checkpoint.features import Feature
from lbm_policy_node.policies.multitask_dit.clip_config import ClipTextConfig, ClipVisionConfig
from lbm_policy_node.policies.multitask_dit.images import center_crop, random_crop, resize
from lbm_policy_node.policies.multitask_dit.model import MultiTaskDiT


def camera(side: int = 24) -> Feature:
    return Feature("VISUAL", (3, side, side))


@pytest.mark.parametrize("separate", [False, True])
@pytest.mark.parametrize("steps", [1, 3])
def test_vector_is_state_cameras_text_per_step_oldest_first(small: Any, separate: bool, steps: int) -> None:
    inputs = {
        "observation.images.b": camera(), "observation.state": Feature("STATE", (4,)),
            "observation.images.a": camera(),
    }  # fmt: skip
    config = small.config(
        input_features=inputs, n_obs_steps=steps, use_separate_rgb_encoder_per_camera=separate
    )
    model = small.model(config)
    batch = small.batch(config)
    encoder = model.observation_encoder
    with torch.no_grad():
        cond = encoder(batch).reshape(2, steps, 4 + 2 * 32 + 32)
        text = encoder.text_encoder(batch["observation.language.tokens"])
        for index, key in enumerate(("observation.images.b", "observation.images.a")):
            tower = encoder.vision_encoders[index] if separate else encoder.vision_encoder
            view = tower(batch[key].flatten(0, 1)).reshape(2, steps, 32)
            assert torch.allclose(cond[..., 4 + 32 * index : 36 + 32 * index], view, atol=1e-5)
    assert torch.equal(cond[..., :4], batch["observation.state"])
    assert torch.allclose(cond[..., -32:], text[:, None].expand(-1, steps, -1), atol=1e-6)


def test_policy_without_cameras_uses_state_and_text(small: Any) -> None:
    config = small.config(input_features={"observation.state": Feature("STATE", (4,))})
    model = small.model(config)
    assert model.encode(small.batch(config)).shape == (2, 2 * (4 + 32))


def test_unused_post_layernorm_is_not_trained(small: Any) -> None:
    assert not any(p.requires_grad for n, p in small.model().named_parameters() if "post_layernorm" in n)


@pytest.mark.parametrize(("size", "offset"), [(45, 6), (51, 10), (48, 8), (33, 0)])
def test_center_crop_rounds_half_pixels_to_even(size: int, offset: int) -> None:
    images = torch.arange(size * size).reshape(1, 1, size, size)
    cropped = center_crop(images, (32, 32))
    assert cropped.shape[-2:] == (32, 32)
    assert divmod(int(cropped[0, 0, 0, 0]), size) == (offset, offset)


def test_random_crop_takes_one_place_for_the_batch_and_reaches_every_place() -> None:
    torch.manual_seed(0)
    image = torch.arange(6 * 6).reshape(1, 6, 6)
    places = set()
    for _ in range(200):
        crops = random_crop(torch.stack([image, image]), (4, 5))
        assert torch.equal(crops[0], crops[1])
        places.add(divmod(int(crops[0, 0, 0, 0]), 6))
    assert places == {(row, column) for row in range(3) for column in range(2)}


def test_resize_antialiases(small: Any) -> None:
    stripes = torch.zeros(1, 1, 32, 32)
    stripes[..., ::2] = 1.0
    inner = resize(stripes, (8, 8))[..., 1:-1]
    assert torch.allclose(inner, torch.full_like(inner, 0.5), atol=0.05)


def test_crop_is_random_only_in_training(small: Any) -> None:
    inputs = {"observation.state": Feature("STATE", (4,)), "observation.images.front": camera(40)}
    config = small.config(input_features=inputs, image_crop_shape=(24, 24))
    model, batch = small.model(config), small.batch(config)
    torch.manual_seed(0)
    with torch.no_grad():
        assert torch.equal(model.encode(batch), model.encode(batch))
        model.train()
        assert not torch.equal(model.encode(batch), model.encode(batch))


def test_crop_that_does_not_fit_is_switched_off_with_a_warning(
    small: Any, caplog: pytest.LogCaptureFixture
) -> None:
    model = small.model(small.config(image_crop_shape=(30, 30)))
    assert model.observation_encoder.crop_shape is None
    assert "does not fit" in caplog.text


def test_image_of_another_size_than_the_tower_is_refused(small: Any) -> None:
    vision = ClipVisionConfig(32, 64, 2, 2, image_size=32, patch_size=8)
    with pytest.raises(CheckpointError, match="image_crop_shape"):
        MultiTaskDiT(small.config(), vision, ClipTextConfig(32, 64, 2, 2))
