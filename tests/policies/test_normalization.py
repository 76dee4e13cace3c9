# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Normalisation modes against their formulas, and what is refused."""

from typing import Any

import pytest
import torch

from lbm_policy_node.policies.checkpoint.errors import CheckpointError
from lbm_policy_node.policies.checkpoint.features import Feature
from lbm_policy_node.policies.normalization import Normalizer

LOW, HIGH = torch.tensor([-1.0, 0.0, 2.0]), torch.tensor([3.0, 0.0, 2.5])
STATS = {
    "action": {
        "mean": LOW,
        "std": HIGH,
        "min": LOW,
        "max": HIGH,
        "q01": LOW,
        "q99": HIGH,
        "q10": LOW,
        "q90": HIGH,
    }
}


def normalizer(mode: str, **changes: Any) -> Normalizer:
    values: dict[str, Any] = {
        "features": {"action": Feature("ACTION", (3,))}, "norm_map": {"ACTION": mode}, "stats": STATS,
    }  # fmt: skip
    return Normalizer(**{**values, **changes})


@pytest.mark.parametrize("mode", ["MIN_MAX", "QUANTILES", "QUANTILE10"])
def test_range_modes_map_the_range_to_minus_one_and_one(mode: str) -> None:
    ends = normalizer(mode).normalize("action", torch.stack([LOW, HIGH]))
    assert torch.allclose(ends[:, [0, 2]], torch.tensor([[-1.0, -1.0], [1.0, 1.0]]))
    assert torch.equal(ends[:, 1], torch.tensor([-1.0, -1.0])), "a constant dimension is -1"


def test_constant_dimension_blows_deviations_up_by_eps() -> None:
    value = normalizer("MIN_MAX").normalize("action", torch.tensor([0.0, 1.0, 2.0]))
    assert value[1].item() == pytest.approx(2e8, rel=1e-3)


def test_mean_std_adds_eps_only_on_the_way_in() -> None:
    value = torch.tensor([1.0, 1.0, 1.0])
    both = normalizer("MEAN_STD", eps=0.5)
    assert torch.allclose(both.normalize("action", value), (value - LOW) / (HIGH + 0.5))
    assert torch.allclose(both.unnormalize("action", value), value * HIGH + LOW)


def test_identity_and_unmapped_types_pass_through() -> None:
    value = torch.randn(4, 3)
    assert torch.equal(normalizer("IDENTITY").normalize("action", value), value)
    assert torch.equal(normalizer("MIN_MAX", norm_map={}).unnormalize("action", value), value)


@pytest.mark.parametrize("mode", ["MIN_MAX", "QUANTILES", "QUANTILE10", "MEAN_STD", "IDENTITY"])
def test_unnormalize_inverts_normalize(mode: str) -> None:
    stats = {"action": {k: v for k, v in STATS["action"].items()}}
    for name in ("max", "q99", "q90", "std"):
        stats["action"][name] = torch.tensor([3.0, 1.0, 2.5])
    both = normalizer(mode, stats=stats)
    value = torch.randn(4, 8, 3)
    assert torch.allclose(both.unnormalize("action", both.normalize("action", value)), value, atol=1e-5)


def test_each_future_step_has_its_own_statistics() -> None:
    low, high = torch.stack([LOW, LOW - 1]), torch.stack([LOW + 1, LOW + 3])
    both = normalizer("MIN_MAX", stats={"action": {"min": low, "max": high}}, action_steps=2)
    assert torch.allclose(both.normalize("action", high[None]), torch.ones(1, 2, 3))
    assert torch.allclose(both.unnormalize("action", -torch.ones(5, 2, 3)), low.expand(5, 2, 3))


def test_flat_image_statistics_apply_per_channel() -> None:
    stats = {"cam": {"mean": torch.tensor([0.0, 1.0, 2.0]), "std": torch.ones(3)}}
    image = Normalizer({"cam": Feature("VISUAL", (3, 2, 2))}, {"VISUAL": "MEAN_STD"}, stats)
    assert torch.allclose(
        image.normalize("cam", torch.zeros(1, 3, 2, 2))[0, :, 0, 0], torch.tensor([0.0, -1.0, -2.0])
    )


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"stats": {}}, "action.min"),
        ({"stats": {"action": {"min": LOW}}}, "action.max"),
        ({"stats": {"action": {"min": LOW[:2], "max": HIGH}}}, "action.min"),
        ({"norm_map": {"ACTION": "ZSCORE"}}, "norm_map.ACTION"),
        ({"action_steps": 4}, "action.min"),
        ({"stats": {"action": {"min": LOW.expand(8, 3), "max": HIGH.expand(8, 3)}}}, "action.min"),
    ],
)
def test_missing_or_misshapen_statistics_are_refused_by_name(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(CheckpointError) as error:
        normalizer("MIN_MAX", **changes)
    assert error.value.field == named
