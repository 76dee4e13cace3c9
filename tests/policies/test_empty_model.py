# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A model that is about to be read is built without memory and without being initialised."""

import pytest
import torch
from torch import nn

from lbm_policy_node.policies.empty_model import empty_model


@pytest.mark.parametrize(
    "make",
    [
        lambda: nn.Embedding(4, 3),
        lambda: nn.Linear(4, 3),
        lambda: nn.Conv2d(3, 4, 2),
        lambda: nn.init.normal_(tensor=torch.empty(2)),
    ],
    ids=["embedding", "linear", "convolution", "by_name"],
)
def test_nothing_is_filled(make):
    with empty_model():
        made = make()
    for tensor in made.parameters() if isinstance(made, nn.Module) else [made]:
        assert tensor.is_meta and tensor._version == 0, "no operation has written to it"


def test_outside_everything_is_as_usual():
    with empty_model():
        pass
    weight = nn.Embedding(4, 3).weight
    assert not weight.is_meta and weight.std() > 0
