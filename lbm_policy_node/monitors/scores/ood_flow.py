# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""How unlike the training episodes the policy's view of the world is (logpZO, arXiv 2503.08558)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from lbm_policy_node.core.types import Array
from lbm_policy_node.monitors.flow_file import FILE, FlowWeights, OodFlowError, file_id, read_flow
from lbm_policy_node.monitors.pair import SamplePair
from lbm_policy_node.monitors.scores.score import Score, ScoreConfig

WEIGHTS_ID = "weights_id"


def ood_scores(flow: FlowWeights, embeddings: Array) -> Array:
    """||O + v(O, 0)||^2: the squared length of where one Euler step takes the embedding.

    The flow carries embeddings of successful episodes (t = 0) to standard normal noise (t = 1). At t = 0 the
    best velocity is -O, because the noise is independent of O; the network has learned this for familiar
    embeddings only, and the score is what it misses.

    Args:
        flow: Trained on standardised embeddings; O is standardised here.
        embeddings: Shape (n, E).

    Returns:
        Scores of at least 0, shape (n,).
    """
    x = flow.standardise(embeddings)
    return np.square(x + flow.velocity(x, np.zeros(len(x)))).sum(axis=1)


class OodFlow(Score):
    """The score on the current chunk's embedding; the samples do not matter. Needs no torch."""

    name = "ood_flow"
    min_samples = 1
    needs_embedding = True
    parameters = frozenset({WEIGHTS_ID})
    files = (FILE,)
    trainer = "lbm_policy_node.monitors.calibration.train_ood_flow:train"

    def __init__(self, flow: FlowWeights) -> None:
        """Score with given weights."""
        self.flow = flow

    @classmethod
    def make(cls, config: ScoreConfig, folder: Path | None) -> OodFlow:
        """Load the score from the folder that holds its weights.

        Args:
            config: The parameter `weights_id`, if given, must be that of the file, so that thresholds are not
                applied to weights that they were not made with.
            folder: Holds `monitor_ood.safetensors`.

        Raises:
            OodFlowError: No folder, unusable weights, or other weights.
        """
        if folder is None:
            raise OodFlowError(f"the score '{config.name}' needs the folder that holds its {FILE}")
        path = folder / FILE
        flow = read_flow(path)
        expected = config.parameters.get(WEIGHTS_ID, "")
        if expected and expected != (found := file_id(path)):
            raise OodFlowError(
                f"{path} has the id {found}, the calibration was made with {expected}; calibrate again"
            )
        return cls(flow)

    @classmethod
    def learn(cls, config: ScoreConfig, pairs: Sequence[SamplePair], folder: Path | None) -> ScoreConfig:
        """Return the configuration with the id of the weights; the score itself is not standardised.

        Raises:
            OodFlowError: No folder, or no usable weights in it.
        """
        OodFlow.make(replace(config, parameters={}), folder)
        assert folder is not None  # which would have been refused
        return replace(config, parameters={**config.parameters, WEIGHTS_ID: file_id(folder / FILE)})

    def __call__(self, pair: SamplePair) -> float:
        """The score.

        Raises:
            OodFlowError: The embedding has another width than the weights, or is not finite.
        """
        return self.score(pair.embedding)

    def score(self, embedding: Array) -> float:
        """As for a pair, from the embedding (E,) alone."""
        if embedding.shape != (self.flow.embedding_dim,):
            width = self.flow.embedding_dim
            raise OodFlowError(
                f"the embedding has shape {embedding.shape}, the flow was trained on ({width},)"
            )
        if not np.isfinite(embedding).all():
            raise OodFlowError("the embedding holds infinite or undefined numbers")
        return float(ood_scores(self.flow, embedding[None])[0])
