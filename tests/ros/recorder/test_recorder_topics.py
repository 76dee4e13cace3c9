# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The recorder knows where to find each role of an episode, in the namespace of its graph."""

from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.data.episodes.episode_header import ROLES
from lbm_policy_node.paths import shared_path
from lbm_policy_node.ros.recorder.recorder_topics import recorded_topics


def test_every_role_is_recorded_under_the_name_that_its_node_publishes():
    robot = RobotSpec.load(shared_path("config/robots/metaworld.yaml"))
    found = {t.role: (t.name, t.type) for t in recorded_topics(robot, lambda name: f"/cell/{name}") if t.role}
    assert found == {
        "action_chunks": ("/cell/action_chunks", ROLES["action_chunks"]),
        "monitor_verdicts": ("/cell/monitor_verdicts", ROLES["monitor_verdicts"]),
        "control_state": ("/cell/control_state", ROLES["control_state"]),
        "policy_status": ("/cell/policy_node/status", ROLES["policy_status"]),
        "episode_events": ("/cell/episode_events", ROLES["episode_events"]),
    }
