# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The checkpoint under test: its policy, asked as the policy node asks it, and its monitor."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lbm_policy_node.core.spec.compatibility import spec_differences
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.types import ActionChunk, Array, no_samples
from lbm_policy_node.monitors.calibration.calibration import FILE_NAME, Calibration
from lbm_policy_node.monitors.columns import ScoredColumns
from lbm_policy_node.monitors.monitor import Monitor
from lbm_policy_node.monitors.scores.registry import score_class
from lbm_policy_node.policies.checkpoint.errors import CheckpointError
from lbm_policy_node.policies.load import load_policy
from lbm_policy_node.policies.policy import EmbeddingPolicy, Policy
from lbm_policy_node.replay.rebuild import Rebuilt


@dataclass(frozen=True, eq=False)
class Candidate:
    """A loaded checkpoint.

    Attributes:
        path: Its folder.
        policy: Answers.
        calibration: Of its monitor; None where it has none.
    """

    path: Path
    policy: Policy
    calibration: Calibration | None = None

    @classmethod
    def load(
        cls, path: Path, *, device: str = "cpu", tokenizer: str | None = None, threads: int = 1
    ) -> Candidate:
        """Load a checkpoint and its calibration.

        Args:
            path: The checkpoint's folder.
            device: torch device; the recorded one, if the numbers are to be the same.
            tokenizer: For checkpoints that hold only a tokenizer's name.
            threads: CPU threads; the policy node's default, because sums depend on it.

        Raises:
            CheckpointError: The checkpoint is refused.
            CalibrationError: The calibration cannot be read.
        """
        policy = load_policy(path, device, tokenizer, threads=threads)
        file = path / FILE_NAME
        return cls(path, policy, Calibration.load(file) if file.exists() else None)

    def require_fit(self, robot: RobotSpec) -> None:
        """Refuse a robot that sees or commands something else.

        Raises:
            CheckpointError: With every difference.
        """
        if differences := spec_differences(robot, self.policy.spec):
            raise CheckpointError(self.path, "", f"does not fit {robot.file}: {'; '.join(differences)}")

    def monitor(self, robot: RobotSpec) -> Monitor | None:
        """A fresh monitor, where there is a calibration.

        Raises:
            ValueError: The calibration is for other columns.
        """
        if self.calibration is None:
            return None
        return Monitor(ScoredColumns.from_spec(robot.action), self.calibration, folder=self.path)

    def answer(self, rebuilt: Rebuilt) -> ActionChunk:
        """Ask for the recorded chunk again, with its seed and number of samples.

        A checkpoint other than the recorded one draws as many as its own calibration needs, if those are
        more; the first samples do not depend on how many there are.

        Raises:
            ValueError: The policy does not take the observations, or returns another shape than it says.
        """
        chunk, spec = rebuilt.inputs.chunk, self.policy.spec
        n_samples = max(1, len(chunk.samples))
        if self.calibration is not None and chunk.checkpoint_id != spec.checkpoint_id:
            n_samples = max(n_samples, self.calibration.layout.n_samples)
        began = time.perf_counter()
        samples = self.policy.infer(rebuilt.history, n_samples=n_samples, seed=chunk.seed)
        embedding = self._embedding(rebuilt)
        inference_s = time.perf_counter() - began
        if np.shape(samples) != (n_samples, spec.horizon, spec.action_dim):
            expected = (n_samples, spec.horizon, spec.action_dim)
            raise ValueError(f"the policy returned shape {np.shape(samples)}; expected {expected}")
        return replace(
            chunk,
            actions=samples[0],
            samples=samples if len(chunk.samples) else no_samples(spec.horizon, spec.action_dim),
            checkpoint_id=spec.checkpoint_id,
            stochastic=spec.stochastic,
            inference_s=inference_s,
            embedding=embedding,
        )

    def for_monitor(self, chunk: ActionChunk) -> ActionChunk:
        """The answer as the calibration needs it: no more samples than it was made with."""
        needed = self.calibration.layout.n_samples if self.calibration else 0
        return replace(chunk, samples=chunk.samples[:needed]) if 0 < needed < len(chunk.samples) else chunk

    def _embedding(self, rebuilt: Rebuilt) -> Array:
        """What the node would send along: the monitor's out-of-distribution score looks at it."""
        scored = self.calibration is not None and score_class(self.calibration.score.name).needs_embedding
        used = scored or rebuilt.inputs.chunk.embedding.size
        if not used or not isinstance(self.policy, EmbeddingPolicy):
            return np.empty(0, np.float32)
        return np.asarray(self.policy.embed(rebuilt.history), np.float32)
