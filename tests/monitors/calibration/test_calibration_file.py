# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A calibration comes back from its file as it was; all else is refused by file, field and expectation."""

import dataclasses
import json
import math

import pytest

from helpers.monitor_episodes import CHECKPOINT, EXECUTED, HORIZON, NAMES, SAMPLES, STEP_NS, chunk
from lbm_policy_node.core.types import ActionChunk
from lbm_policy_node.monitors.calibration.calibration import Calibration, CalibrationError, EpisodeCounts
from lbm_policy_node.monitors.calibration.thresholds import DetectorThreshold, LevelThresholds
from lbm_policy_node.monitors.layout import ChunkLayout
from lbm_policy_node.monitors.scale import ActionScale
from lbm_policy_node.monitors.scores.score import ScoreConfig
from lbm_policy_node.monitors.statistics import Standardisation


def make_calibration(**changes) -> Calibration:
    unarmed = DetectorThreshold(0.0, 31, math.inf, (0.0, 0.0))
    warn = {"score:mmd_floored": DetectorThreshold(0.1, 28, 4.25, (0.03, 0.19)), "time_limit": unarmed}
    values = dict(
        layout=ChunkLayout(
            checkpoint_id=CHECKPOINT,
            n_samples=SAMPLES,
            horizon=HORIZON,
            execution_horizon=EXECUTED,
            step_ns=STEP_NS,
            action_names=NAMES,
        ),
        score=ScoreConfig("mmd_floored", 0.37),
        scale=ActionScale(("x", "y"), (0.1, 0.2)),
        max_overlap_steps=None,
        statistic="cusum",
        standardisation=Standardisation(0.1 + 0.2, 1.0 / 3.0),
        levels={
            "warn": LevelThresholds(0.1, 9, warn),
            "stop": LevelThresholds(0.02, 49, dict.fromkeys(warn, unarmed)),
        },
        episodes=EpisodeCounts(
            used=30, until="success", failed=("door-3",), unusable=(("door-9", "has 1 chunk"),)
        ),
        source="recorded",
        date="2026-11-21T13:00:00+00:00",
    )
    return Calibration(**{**values, **changes})


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "new" / "monitor.json"
    make_calibration().save(path)
    return path


def test_a_calibration_comes_back_as_it_was(file):
    back = Calibration.load(file)
    assert back == make_calibration()
    assert back.id == make_calibration().id
    assert back.levels["stop"].detectors["time_limit"].threshold == math.inf
    assert [path.name for path in file.parent.iterdir()] == ["monitor.json"]


def test_the_file_is_plain_json_that_others_can_read(file):
    values = json.loads(file.read_text(), parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert (values["n_samples"], values["execution_horizon"], values["step_s"]) == (SAMPLES, EXECUTED, 0.05)
    assert values["levels"]["stop"]["detectors"]["time_limit"]["threshold"] is None
    assert values["id"] == make_calibration().id


@pytest.mark.parametrize(
    "change", [{"date": "2027"}, {"score": ScoreConfig("mmd_floored", 0.38)}, {"statistic": "max"}]
)
def test_the_id_depends_on_the_content(change):
    assert make_calibration(**change).id != make_calibration().id


@pytest.mark.parametrize("share", [0.0, 0.2, 0.99])
def test_a_truncated_file_is_refused_by_name(file, share):
    text = file.read_text()
    file.write_text(text[: int(share * len(text))])
    with pytest.raises(CalibrationError, match=r"monitor\.json: is no complete JSON .* lbm calibrate"):
        Calibration.load(file)


def test_a_missing_file_and_one_of_bytes_are_refused_by_name(tmp_path):
    with pytest.raises(CalibrationError, match=r"monitor\.json: No such file"):
        Calibration.load(tmp_path / "monitor.json")
    (tmp_path / "monitor.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CalibrationError, match=r"monitor\.json: is no complete JSON"):
        Calibration.load(tmp_path / "monitor.json")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("version", 2, "'version' is 2: expected 1"),
        ("n_samples", "16", "'n_samples' is '16': expected a whole number"),
        ("n_samples", True, "'n_samples' is True"),
        ("execution_horizon", -4, "'execution_horizon' is -4"),
        ("step_s", None, "'step_s' is None: expected a finite number above 0"),
        ("action_names", [], "'action_names' is"),
        ("checkpoint_id", "", "'checkpoint_id' is ''"),
        ("statistic", "cumsum", "'statistic' is 'cumsum': expected one of"),
        ("standardisation", {"mean": 0.0, "std": 0.0}, "'standardisation.std' is 0.0"),
        ("standardisation", {"mean": 0.0}, "'standardisation.std' is None: this key is required"),
        ("score", {"name": "mmd_floored"}, "'score' is .*a score has the keys"),
        ("scale", {"names": ["x"], "scale": [-1.0]}, "'scale' is .*finite and above 0"),
        ("levels", {}, "'levels.warn' is None"),
        ("levels", 3, "'levels' is 3: expected a mapping"),
        ("episodes", {"used": 0, "until": "success", "failed": [], "unusable": []}, "'episodes.used' is 0"),
        ("episodes", {"used": 1, "until": "success", "failed": [1], "unusable": []}, "'episodes.failed'"),
        ("episodes", {"used": 1, "until": "success", "failed": [], "unusable": ["a"]}, "'episodes.unusable'"),
        ("max_overlap_steps", 0, "'max_overlap_steps' is 0"),
        ("curated", True, "'curated' is True: unknown key"),
        ("date", 2026, "'date' is 2026"),
    ],
)
def test_a_wrong_field_is_refused_by_name(file, key, value, message):
    values = json.loads(file.read_text())
    file.write_text(json.dumps({**values, key: value}))
    with pytest.raises(CalibrationError, match=message) as caught:
        Calibration.load(file)
    assert str(file) in str(caught.value)


@pytest.mark.parametrize("key", sorted(make_calibration().to_dict()))
def test_a_missing_field_is_refused_by_name(file, key):
    values = json.loads(file.read_text())
    del values[key]
    file.write_text(json.dumps(values))
    with pytest.raises(CalibrationError, match=f"'{key}' is None"):
        Calibration.load(file)


@pytest.mark.parametrize("value", ["1", -1.0, math.inf])
def test_a_threshold_that_is_none_is_refused(file, value):
    values = json.loads(file.read_text())
    values["levels"]["warn"]["detectors"]["time_limit"]["alpha"] = value
    file.write_text(json.dumps(values))
    with pytest.raises(CalibrationError, match=r"levels\.warn\.detectors\.time_limit\.alpha"):
        Calibration.load(file)


def test_a_threshold_changed_by_hand_is_refused(file):
    values = json.loads(file.read_text())
    values["levels"]["warn"]["detectors"]["score:mmd_floored"]["threshold"] = 400.0
    file.write_text(json.dumps(values))
    with pytest.raises(CalibrationError, match="was changed after calibration"):
        Calibration.load(file)


def mismatches(chunk: ActionChunk) -> tuple[str, ...]:
    return tuple(ChunkLayout.of(chunk).differences(make_calibration().layout).values())


def test_a_chunk_of_the_same_policy_fits():
    assert mismatches(chunk(0)) == ()


def test_every_mismatch_is_named():
    other = chunk(0, n_samples=3)
    other = dataclasses.replace(
        other,
        checkpoint_id="ffff",
        actions=other.actions[:5],
        samples=other.samples[:, :5],
        execution_horizon=0,
        step_ns=20_000_000,
        action_names=("x", "y", "hand"),
    )
    assert mismatches(other) == (
        "checkpoint is ffff, expected 0123456789abcdef",
        "K is 3 samples, expected 6 samples",
        "horizon is 5 rows, expected 8 rows",
        "execution horizon is 0 rows, expected 4 rows",
        "step is 0.02 s, expected 0.05 s",
        "action names is [x, y, hand], expected [x, y, grip]",
    )


def test_a_calibration_without_its_score_at_a_level_is_refused():
    other = LevelThresholds(0.1, 9, {"time_limit": DetectorThreshold(0.1, 28, 4.25, (0.03, 0.19))})
    with pytest.raises(ValueError, match="level 'stop' lacks the detector 'score:mmd_floored'"):
        make_calibration(levels={"warn": make_calibration().levels["warn"], "stop": other})
