# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A joint trajectory controller obeys every stop: at any speed, with the delays and clocks of real robots.

LBM_STOP_TRIALS=10000 runs that many random stops; `pytest -s` prints the table.
"""

import os

import numpy as np
import pytest
from rclpy.duration import Duration
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from helpers.jtc import JointTrajectoryController
from helpers.stop_trials import HOMES, MS, StopTrial, random_trials, table
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.paths import shared_path
from lbm_policy_node.ros.conversion import to_stamp

N_TRIALS = int(os.environ.get("LBM_STOP_TRIALS", "200"))


def assert_obeyed(trial: StopTrial) -> None:
    assert trial.n_refused == 0, trial
    assert trial.late_s <= 0.0, trial
    assert trial.moved <= trial.allowed + 1e-6, trial


@pytest.mark.timeout(60 + N_TRIALS)
def test_random_stops_are_never_refused_and_end_in_time():
    trials = random_trials(N_TRIALS, seed=20)
    print("\n" + table(trials))
    for trial in trials:
        assert_obeyed(trial)


@pytest.mark.parametrize("stop_ms", [150, 400])
@pytest.mark.parametrize("speed", [0.0, 0.05, 0.09, 0.15, 0.3, 0.5])
@pytest.mark.parametrize("stop", ["estop", "cancel"])
@pytest.mark.parametrize("robot", list(HOMES))
def test_stops_at_the_speeds_at_which_they_were_refused(robot, stop, speed, stop_ms):
    spec = RobotSpec.load(shared_path(f"config/robots/{robot}.yaml"))
    home = np.array(HOMES[robot], dtype=np.float64)
    assert_obeyed(StopTrial(spec, home, stop, speed, stop_ms * MS, latency_ns=MS, clock_ns=0).run())


def _trajectory(stamp_ns: int, *points: tuple[int, list[float], list[float]]) -> JointTrajectory:
    timed = [
        JointTrajectoryPoint(
            positions=positions,
            velocities=velocities,
            time_from_start=Duration(nanoseconds=after_ns).to_msg(),
        )
        for after_ns, positions, velocities in points
    ]
    message = JointTrajectory(joint_names=["a"], points=timed)
    message.header.stamp = to_stamp(stamp_ns)
    return message


def test_the_stand_in_refuses_what_the_controller_refuses_and_goes_on():
    controller = JointTrajectoryController(["a"], np.zeros(1))
    now_ns = 1_000 * MS
    assert controller.receive(_trajectory(now_ns, (100 * MS, [1.0], [])), now_ns)
    late = _trajectory(now_ns, (10 * MS, [0.0], []))
    assert not controller.receive(late, now_ns + 11 * MS) and "1.000 ms in the past" in controller.refused[-1]
    assert controller.state(now_ns + 50 * MS)[0][0] == pytest.approx(0.5)
    moving_end = _trajectory(0, (10 * MS, [0.0], [0.5]))
    assert not controller.receive(moving_end, now_ns) and "not zero" in controller.refused[-1]
    assert not controller.receive(_trajectory(0), now_ns)


def test_the_stand_in_replaces_a_motion_from_its_present_state():
    controller = JointTrajectoryController(["a"], np.zeros(1))
    now_ns = 1_000 * MS
    controller.receive(_trajectory(now_ns, (100 * MS, [1.0], [])), now_ns)  # 10 rad/s
    half_ns = now_ns + 50 * MS
    assert controller.receive(_trajectory(0, (100 * MS, [1.0], [0.0])), half_ns)
    position, velocity = controller.state(half_ns)
    assert (position[0], velocity[0]) == pytest.approx((0.5, 10.0))
    # The cubic from (0.5, 10) to (1, 0) in 0.1 s is a constant deceleration.
    assert controller.state(half_ns + 50 * MS)[1][0] == pytest.approx(5.0)
    assert controller.state(half_ns + 200 * MS)[0][0] == 1.0
