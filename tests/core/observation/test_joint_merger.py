# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Messages that say nothing of the needed joints are passed over only while a good one is young enough."""

import pytest

from lbm_policy_node.core.observation.joint_merger import JointMerger
from lbm_policy_node.core.observation.samples import JointSample
from lbm_policy_node.core.spec.robot_spec import RobotSpec

MS = 1_000_000
GOOD = JointSample.of(["gripper_opening"], [0.5], [], [])
SAYS_NOTHING = [JointSample.of(["other"], [1.0], [], []), JointSample.of(["gripper_opening"], [], [], [])]


@pytest.fixture
def merger(spec: RobotSpec) -> JointMerger:
    return JointMerger(spec.streams["joints"], [s for s in spec.state if s.stream == "joints"])


@pytest.mark.parametrize("sample", SAYS_NOTHING, ids=["other joints", "no positions"])
def test_what_says_nothing_is_handed_on_once_the_good_one_is_too_old(spec, merger, sample) -> None:
    max_age_ns = spec.streams["joints"].max_age_ns
    assert merger.merge(0, GOOD) == (0, GOOD)
    assert merger.merge(max_age_ns, sample) is None
    assert merger.merge(max_age_ns + 1, sample) == (max_age_ns + 1, sample), "its reader says what is missing"
    assert merger.merge(max_age_ns + 2 * MS, GOOD) == (max_age_ns + 2 * MS, GOOD)
    assert merger.merge(max_age_ns + 3 * MS, sample) is None


@pytest.mark.parametrize("sample", SAYS_NOTHING, ids=["other joints", "no positions"])
def test_what_says_nothing_is_handed_on_while_nothing_good_has_come(merger, sample) -> None:
    assert merger.merge(0, sample) == (0, sample)
