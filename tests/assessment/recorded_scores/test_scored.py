# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Scored episodes, where they are cut, and when an alarm comes."""

from math import inf, nan

import numpy as np
import pytest

from lbm_policy_node.assessment.detection import detection_replan, earliest, flagged_before, peak, peaks
from lbm_policy_node.assessment.recorded_scores.cuts import cut_replans, groups, limits
from lbm_policy_node.assessment.recorded_scores.scored import ScoredEpisode


def _episode(replans: int, group: str = "door", **kwargs) -> ScoredEpisode:
    return ScoredEpisode(str(replans), group, True, np.arange(float(replans)), **kwargs)


def test_the_first_replan_counts_as_time_and_not_as_score():
    episode = _episode(3)
    assert episode.replans == 3
    assert episode.compared.tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        (np.zeros(0), r"shape \(0,\)"),
        (np.zeros((2, 2)), r"shape \(2, 2\)"),
        (np.array([0.0, nan]), "replan 1 is nan"),
        (np.array([0.0, 1.0, inf]), "replan 2 is inf"),
    ],
)
def test_scores_that_cannot_be_judged_are_refused(scores, message):
    with pytest.raises(ValueError, match=message):
        ScoredEpisode("4", "door", False, scores)


def test_an_episode_longer_than_its_limit_is_refused():
    with pytest.raises(ValueError, match="'5' of 'door': it has 5 replans and a limit of only 4"):
        _episode(5, limit=4)


def test_scores_cannot_be_changed_from_outside():
    scores = np.zeros(3)
    episode = ScoredEpisode("0", "door", True, scores)
    scores[:] = 7
    assert not episode.scores.any()
    with pytest.raises(ValueError, match="read-only"):
        episode.scores[0] = 1


def test_cuts_go_by_group():
    episodes = [_episode(4), _episode(7), _episode(11, "drawer"), _episode(9, "drawer")]
    assert groups(episodes) == {"door": [0, 1], "drawer": [2, 3]}
    assert cut_replans("end", episodes) == {"door": 7, "drawer": 11}
    assert cut_replans("time_matched", episodes) == {"door": 4, "drawer": 9}
    assert cut_replans("first_half", episodes) == {"door": 4, "drawer": 6}
    with pytest.raises(ValueError, match="'middle', expected one of end, time_matched, first_half"):
        cut_replans("middle", episodes)


def test_a_declared_limit_goes_before_the_longest_episode():
    assert limits([_episode(4, limit=20), _episode(7), _episode(3, "drawer")]) == {"door": 20, "drawer": 3}


def test_a_peak_before_the_first_comparison_is_below_everything():
    trace = np.array([-inf, -3.0, 2.0, 1.0])
    assert [peak(trace, cut) for cut in (0, 1, 2, 3, 99)] == [-inf, -inf, -3.0, 2.0, 2.0]
    assert peaks([trace, trace], [2, 4]).tolist() == [-3.0, 2.0]


def test_an_alarm_needs_more_than_the_threshold():
    trace = np.array([-inf, 1.0, 2.0, 3.0])
    assert detection_replan(trace, 2.0) == 3
    assert detection_replan(trace, 3.0) is None
    assert detection_replan(trace, inf) is None
    assert earliest(None, 5, 3) == 3
    assert earliest(None, None) is None


def test_an_alarm_at_the_deadline_is_too_late():
    share = flagged_before([3, 4, None, 0], [4, 4, 4, 0])
    assert (share.count, share.total) == (1, 4)
