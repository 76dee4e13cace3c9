# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Every field of a calibration and of the flow's weights comes back from its file."""

import numpy as np

from helpers.differing import assert_same_record, differing
from lbm_policy_node.monitors.calibration.calibration import Calibration, EpisodeCounts
from lbm_policy_node.monitors.calibration.thresholds import DetectorThreshold, LevelThresholds
from lbm_policy_node.monitors.flow_file import FREQUENCIES, FlowWeights, read_flow, write_flow
from lbm_policy_node.monitors.layout import ChunkLayout
from lbm_policy_node.monitors.scale import ActionScale
from lbm_policy_node.monitors.scores.score import ScoreConfig
from lbm_policy_node.monitors.statistics import STATISTICS


def _level(alpha: float) -> LevelThresholds:
    detectors = {
        "score:energy": differing(DetectorThreshold, alpha=alpha / 2, false_alarm_range=(alpha / 4, alpha)),
        "progress:vlm": differing(DetectorThreshold, alpha=alpha / 3, false_alarm_range=(alpha / 5, alpha)),
    }
    return differing(LevelThresholds, alpha=alpha, detectors=detectors)


def test_a_calibration_comes_back(tmp_path):
    calibration = differing(
        Calibration,
        layout=differing(ChunkLayout),
        score=differing(ScoreConfig, name="energy", parameters={"exponent": 0.5, "kind": "a"}),
        scale=differing(ActionScale),
        statistic=STATISTICS[-1],
        levels={"warn": _level(0.2), "stop": _level(0.05)},
        episodes=differing(EpisodeCounts, until="end"),
    )
    calibration.save(tmp_path / "monitor.json")
    assert_same_record(Calibration.load(tmp_path / "monitor.json"), calibration)


def test_the_weights_of_a_flow_come_back(tmp_path):
    size, hidden = 3, 4
    rng = np.random.default_rng(0)
    widths = (size + 2 * len(FREQUENCIES), hidden, hidden, size)

    def numbers(*shape: int) -> np.ndarray:
        return rng.uniform(0.5, 1.0, shape).astype(np.float32).astype(np.float64)

    flow = differing(
        FlowWeights,
        mean=numbers(size),
        std=numbers(size),
        weights=tuple(numbers(widths[i + 1], widths[i]) for i in range(3)),
        biases=tuple(numbers(widths[i + 1]) for i in range(3)),
        facts={"format": 1, "steps": 5},
    )
    write_flow(tmp_path / "flow.safetensors", flow)
    assert_same_record(read_flow(tmp_path / "flow.safetensors"), flow)
