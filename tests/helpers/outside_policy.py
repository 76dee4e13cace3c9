# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A package of somebody else with a kind of policy of its own: it always returns the mean action.

It can all that a kind can: it loads, says how its actions vary, is compared with a reference, and is trained.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from helpers.outside_package import install
from lbm_policy_node.core.plugins import POLICY_KINDS

KIND = """
    import json
    from pathlib import Path

    import numpy as np

    from lbm_policy_node.policies.kind import PolicyKind


    def load(asked):
        from PACKAGE.policy import MeanPolicy

        return MeanPolicy(json.loads((asked.directory / "config.json").read_text()))


    def verify(asked):
        from lbm_policy_node.policies.reference import StageResult

        config = json.loads((asked.directory / "config.json").read_text())
        expected = json.loads(asked.reference.read_text())["mean"]
        yield StageResult("mean", float(np.abs(np.subtract(config["mean"], expected)).max()), 1e-6)


    def action_std(directory):
        return np.array(json.loads((directory / "config.json").read_text())["std"])


    POLICY_KIND = PolicyKind(
        load=load, verify=verify, action_std=action_std, trainer="PACKAGE.training:MeanSubject"
    )
"""
POLICY = """
    import numpy as np

    from lbm_policy_node.policies.policy import PolicySpec, check_request


    class MeanPolicy:
        def __init__(self, config):
            self.mean = np.array(config["mean"])
            self.spec = PolicySpec(
                kind=config["type"], checkpoint_id="mean", images=(), state_dim=config["state_dim"],
                action_dim=len(self.mean), horizon=config["horizon"], n_obs_steps=1, n_action_steps=1,
                step_s=0.05, stochastic=False, accepts_prefix=False, uses_language=False,
                state_names=None, action_names=None,
            )

        def infer(self, history, *, n_samples=1, seed=0, prefix=None):
            check_request(self.spec, history, n_samples, prefix)
            return np.tile(self.mean, (n_samples, self.spec.horizon, 1))

        def describe(self):
            return {"mean action": str(self.mean.tolist())}
"""
TRAINING = """
    import json
    from dataclasses import dataclass, field

    import torch

    from lbm_policy_node.policies.checkpoint.extensions import Extensions
    from lbm_policy_node.training.samples import ChunkSamples
    from lbm_policy_node.training.subject import OptimizerSettings, Trainee


    @dataclass(frozen=True)
    class Layout:
        horizon: int
        image_features: dict = field(default_factory=dict)
        n_obs_steps: int = 1
        lbm_extensions: Extensions = field(default_factory=Extensions)


    class Mean(torch.nn.Module):
        def __init__(self, width):
            super().__init__()
            self.value = torch.nn.Parameter(torch.zeros(width))


    class Learner(Trainee):
        def __init__(self, policy):
            super().__init__()
            self.policy, self.head = policy, None

        def forward(self, batch, draws):
            loss = (batch["action"] - self.policy.value).square().mean()
            return loss, loss.detach()


    class MeanSubject:
        def __init__(self, dataset, config, size, choice, weights=None):
            self.kind, self.horizon = choice.policy, size.horizon
            self.samples = ChunkSamples(dataset, Layout(size.horizon), weights)
            self.widths = {key: len(names) for key, names in dataset.features.vectors.items()}
            self.std = dataset.stats["action"]["std"].tolist()
            self.learner = Learner(Mean(self.widths["action"]))
            self.optimizer = OptimizerSettings((0.9, 0.999), {})

        def inputs(self, batch, device):
            return {"action": torch.from_numpy(batch["action"]).to(device)}

        def write(self, folder, weights, sidecar, storage):
            folder.mkdir(parents=True, exist_ok=True)
            values = {
                "type": self.kind, "mean": weights.value.tolist(), "std": self.std,
                "state_dim": self.widths["observation.state"], "horizon": self.horizon,
            }
            (folder / "config.json").write_text(json.dumps(values))
"""


def install_mean_policy(
    monkeypatch: pytest.MonkeyPatch, folder: Path, package: str, name: str, **changes: str
) -> None:
    """Install the package; it calls its kind `name`.

    Args:
        monkeypatch: Undoes it.
        folder: Becomes a folder of installed packages.
        package: Its name; each test needs its own.
        name: What "type" in config.json says.
        **changes: Sources that take the place of the modules kind, policy or training.
    """
    modules = {"kind": KIND, "policy": POLICY, "training": TRAINING, **changes}
    modules = {module: source.replace("PACKAGE", package) for module, source in modules.items()}
    install(monkeypatch, folder, package, modules, {POLICY_KINDS: {name: f"{package}.kind:POLICY_KIND"}})


def write_checkpoint(folder: Path, kind: str, **changes: Any) -> Path:
    """Write a checkpoint of it by hand."""
    folder.mkdir()
    values = {"type": kind, "mean": [0.1, 0.2], "std": [0.5, 2.0], "state_dim": 3, "horizon": 4, **changes}
    (folder / "config.json").write_text(json.dumps(values))
    return folder
