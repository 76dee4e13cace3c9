# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The monitor on every bad chunk: a defined level with its reason, never NORMAL and never a raise."""

from __future__ import annotations

import dataclasses
import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.builders import make_chunk
from helpers.examples import examples
from helpers.monitor_episodes import COLUMNS, EXECUTED, STEP_NS
from helpers.monitor_runs import BOTH, WARN_ONLY, clean, levels, run
from lbm_policy_node.core.types import ActionChunk, no_samples
from lbm_policy_node.monitors.alarms import elapsed_s
from lbm_policy_node.monitors.calibration.calibration import Calibration
from lbm_policy_node.monitors.monitor import Monitor
from lbm_policy_node.monitors.verdict import Level


def _without_samples(c: ActionChunk) -> ActionChunk:
    return dataclasses.replace(c, samples=no_samples(c.horizon, c.action_dim))


def _with(**changes):
    return lambda c: dataclasses.replace(c, **changes)


def _bad(value):
    def make(c: ActionChunk) -> ActionChunk:
        samples = c.samples.copy()
        samples[2, 1, 0] = value
        return dataclasses.replace(c, samples=samples)

    return make


def _shorter(c: ActionChunk) -> ActionChunk:
    return dataclasses.replace(c, actions=c.actions[:5], samples=c.samples[:, :5])


def _renamed(c: ActionChunk) -> ActionChunk:
    return dataclasses.replace(c, action_names=("x", "y", "hand"))


def _fewer(count: int):
    return lambda c: dataclasses.replace(c, samples=c.samples[:count])


def _delayed(c: ActionChunk) -> ActionChunk:
    return dataclasses.replace(c, start_ns=c.start_ns + 60 * STEP_NS)


def _early(c: ActionChunk) -> ActionChunk:
    return dataclasses.replace(c, start_ns=c.start_ns - 5 * EXECUTED * STEP_NS)


OTHER, SOON = Level.UNCALIBRATED, Level.WARMING_UP
BAD_INPUT = {
    "no samples": (_without_samples, Level.NOT_APPLICABLE, "carries no unguided samples", SOON),
    "one sample": (_fewer(1), Level.NOT_APPLICABLE, "needs 2 samples per chunk, there is 1", SOON),
    "deterministic": (_with(stochastic=False), Level.NOT_APPLICABLE, "deterministic", SOON),
    "NaN": (_bad(np.nan), Level.FAULT, "not finite", SOON),
    "infinity": (_bad(-np.inf), Level.FAULT, "not finite", SOON),
    "huge": (_bad(1e300), Level.FAULT, "is no action", SOON),
    "no overlap": (_delayed, Level.FAULT, r"one \(4\) covers", Level.FAULT),
    "out of order": (_early, Level.FAULT, "before chunk 4", SOON),
    "older id": (_with(chunk_id=2), Level.FAULT, "chunk 2 came after chunk 4", SOON),
    "twice": (_with(chunk_id=4), Level.FAULT, "chunk 4 came after chunk 4", SOON),
    "other K": (_fewer(3), OTHER, "K is 3 samples, expected 6", SOON),
    "other checkpoint": (_with(checkpoint_id="ff"), OTHER, "checkpoint is ff, expected 01", Level.FAULT),
    "other horizon": (_shorter, OTHER, "horizon is 5 rows, expected 8", Level.FAULT),
    "other step": (_with(step_ns=STEP_NS // 2), OTHER, r"step is 0\.025 s, expected 0\.05", Level.FAULT),
    "other names": (_renamed, OTHER, "action names is", Level.FAULT),
    "other execution": (_with(execution_horizon=2), OTHER, "execution horizon is 2", SOON),
}


@pytest.mark.parametrize("name", BAD_INPUT)
def test_bad_chunk_in_an_episode_has_its_level_and_the_episode_goes_on(name):
    spoil, level, text, after = BAD_INPUT[name]
    chunks = clean(9)
    chunks[4] = spoil(chunks[4])
    verdicts = run(Monitor(COLUMNS, BOTH), chunks)
    assert verdicts[4].level is level, verdicts[4].text
    assert re.search(text, verdicts[4].text), verdicts[4].text
    assert verdicts[5].level is after, verdicts[5].text
    assert math.isnan(verdicts[4].score) and math.isnan(verdicts[4].statistic)
    assert Level.NORMAL not in levels(verdicts[4:6])
    everything_back = level is Level.UNCALIBRATED and after is Level.FAULT
    assert verdicts[8].level is (Level.WARMING_UP if everything_back else Level.NORMAL), verdicts[8].text


@pytest.mark.parametrize("name", BAD_INPUT)
def test_bad_chunk_is_never_normal_wherever_it_comes(name):
    spoil = BAD_INPUT[name][0]
    for calibration in (BOTH, WARN_ONLY, None):
        for place in (5,) if name in ("older id", "twice", "out of order", "no overlap") else (0, 1, 5):
            chunks = clean(6)
            chunks[place] = spoil(chunks[place])
            verdict = run(Monitor(COLUMNS, calibration), chunks)[place]
            assert verdict.level is not Level.NORMAL and verdict.text


@pytest.mark.parametrize("name", ["no samples", "NaN", "deterministic", "no overlap"])
def test_time_limit_alarms_also_where_the_score_cannot_judge(name):
    spoil = BAD_INPUT[name][0]
    chunks = [spoil(c) for c in clean(20)]
    if name == "no overlap":
        chunks = [
            dataclasses.replace(c, start_ns=c.start_ns + i * 9 * STEP_NS) for i, c in enumerate(clean(20))
        ]
    verdicts = run(Monitor(COLUMNS, BOTH), chunks)
    limit_s = BOTH.levels["warn"].threshold("time_limit")
    late = [v for v, c in zip(verdicts, chunks, strict=True) if elapsed_s(chunks[0], c) > limit_s]
    assert len(late) >= 3
    assert {(v.level, v.detector) for v in late} == {(Level.WARN, "time_limit")}
    assert all("the time of the episode in s is" in v.text for v in late)
    assert all(BAD_INPUT[name][1].name in v.text for v in late)


@pytest.mark.parametrize("field", ["checkpoint_id", "step_ns", "action_names", "horizon"])
def test_policy_that_changes_is_a_fault_without_a_calibration_too(field):
    chunks = clean(5)
    change = {
        "checkpoint_id": _with(checkpoint_id="ff"),
        "step_ns": _with(step_ns=STEP_NS // 2),
        "action_names": _renamed,
        "horizon": _shorter,
    }[field]
    chunks[3] = change(chunks[3])
    verdict = run(Monitor(COLUMNS, None), chunks)[3]
    assert verdict.level is Level.FAULT and "changed within an episode" in verdict.text


NUMBERS = st.sampled_from([0.0, 1.0, -3.0, 1e5, 1e12, 1e308, np.nan, np.inf, -np.inf])


@st.composite
def any_chunks(draw: st.DrawFn) -> ActionChunk:
    horizon, count = draw(st.integers(1, 6)), draw(st.integers(0, 3))
    names = draw(st.sampled_from([("x", "y", "grip"), ("x",), ("a", "b", "c")]))
    samples = np.full((count, horizon, len(names)), draw(NUMBERS))
    if samples.size:
        samples.flat[draw(st.integers(0, samples.size - 1))] = draw(NUMBERS)
    return make_chunk(
        chunk_id=draw(st.integers(0, 5)),
        observation_stamp_ns=draw(st.integers(-(10**18), 10**18)),
        start_ns=draw(st.integers(-3, 3)) * STEP_NS * 3 // 2,
        step_ns=draw(st.sampled_from([1, STEP_NS, STEP_NS + 1])),
        actions=np.full((horizon, len(names)), draw(NUMBERS)),
        samples=samples,
        action_names=names,
        checkpoint_id=draw(st.sampled_from(["", BOTH.checkpoint_id])),
        instruction=draw(st.sampled_from(["", "a"])),
        guided=draw(st.booleans()),
        stochastic=draw(st.integers(0, 4)) > 0,
        index=draw(st.integers(0, 4)),
        execution_horizon=draw(st.sampled_from([0, 4])),
    )


@examples(150)
@given(st.lists(any_chunks(), min_size=1, max_size=6), st.sampled_from([None, BOTH]), st.booleans())
def test_no_sequence_of_chunks_raises(chunks, calibration: Calibration | None, reset_between):
    monitor = Monitor(COLUMNS, calibration)
    for each in chunks:
        verdict = monitor.update(each)
        assert verdict.text and (verdict.chunk_id, verdict.n_samples) == (each.chunk_id, len(each.samples))
        if verdict.level is Level.NORMAL:
            assert calibration is not None and np.isfinite(each.samples).all() and each.stochastic
        if reset_between:
            monitor.reset("test")
