# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The memory that README and docs/performance.md give for the weights of each policy."""

import re

import pytest
import torch

from helpers.places import ROOT
from lbm_policy_node.policies.checkpoint.features import ACTION_KEY, STATE_KEY, Feature
from lbm_policy_node.policies.load import load_policy
from lbm_policy_node.policies.pi0.config import Pi0Config
from lbm_policy_node.policies.pi0.initialization import SIZES
from lbm_policy_node.policies.pi0.weights import meta_model, stored_type

GIB = 2**30
PAGE = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")


def row(policy: str) -> list[str]:
    """Parameters, GiB in bfloat16 and GiB in float32, as the page writes them."""
    line = next(line for line in PAGE.splitlines() if line.startswith(f"| {policy} |"))
    return [cell.strip() for cell in line.strip("|").split("|")[1:]]


@pytest.mark.parametrize(("kind", "policy"), [("pi0", "pi0"), ("pi05", "pi0.5")])
def test_the_pages_give_the_memory_of_a_full_pi0(kind: str, policy: str) -> None:
    camera = {"observation.images.front": Feature("VISUAL", (3, 224, 224))}
    config = Pi0Config(
        kind=kind,
        input_features={STATE_KEY: Feature("STATE", (32,)), **camera},
        output_features={ACTION_KEY: Feature("ACTION", (32,))},
    )
    weights = dict(meta_model(config, SIZES["full"]).named_parameters())

    def gib(dtype: torch.dtype) -> str:
        size = sum(p.numel() * stored_type(name, dtype).itemsize for name, p in weights.items())
        return f"{size / GIB:.1f} GiB"

    half, single = gib(torch.bfloat16), gib(torch.float32)
    assert row(policy) == [f"{sum(p.numel() for p in weights.values()):,}", half, single]
    assert f"| {policy}, bfloat16 (float32) | {half} ({single}) of weights |" in README


def test_the_pages_give_the_memory_of_the_checkpoint_that_ships() -> None:
    parameters = load_policy(ROOT / "checkpoints" / "mt10").describe()["parameters"]
    found = re.match(r"([\d,]+) in total", parameters)
    assert found
    gib = f"{int(found[1].replace(',', '')) * torch.float32.itemsize / GIB:.2f} GiB"
    assert row("multitask DiT, `checkpoints/mt10`") == [found[1], "", gib]
    assert f"{gib} of weights" in README
