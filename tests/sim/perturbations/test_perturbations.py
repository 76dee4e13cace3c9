# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Each disturbance does what it says, in numbers."""

import numpy as np
import pytest

from lbm_policy_node.sim.demonstrations import proprio
from lbm_policy_node.sim.experts import ScriptedExpert
from lbm_policy_node.sim.perturbations.delayed import Delayed
from lbm_policy_node.sim.perturbations.displacement import SmallShift, Teleport
from lbm_policy_node.sim.perturbations.gripper import WeakGripper
from lbm_policy_node.sim.perturbations.light import Light
from lbm_policy_node.sim.perturbations.motion import ActionNoise, LostGain
from lbm_policy_node.sim.perturbations.moved_goal import MovedGoal
from lbm_policy_node.sim.perturbations.object_friction import ObjectFriction
from lbm_policy_node.sim.perturbations.object_scale import ObjectScale
from lbm_policy_node.sim.perturbations.pictures import CameraNoise, Occlusion, Tint
from lbm_policy_node.sim.perturbations.proprioception import FrozenProprio, ProprioNoise
from lbm_policy_node.sim.perturbations.scene_objects import OBJECTS, handled_geoms
from lbm_policy_node.sim.perturbations.start_outside import StartOutside
from lbm_policy_node.sim.perturbations.welded import Welded
from lbm_policy_node.sim.robot import MAX_STEP_M, Scene
from lbm_policy_node.sim.tasks import SLIDERS, TASKS

FAR = np.array([0.0, 0.6, 0.25])


def begin(robot, *perturbations, seed=0):
    robot.perturbations = perturbations
    robot.reset(Scene(seed=seed))
    return robot


def hold(robot, ticks, target=None):
    for _ in range(ticks):
        robot.tick(robot.commanded_position if target is None else target, -1.0)


def solve(robot, ticks=400):
    """Let the expert drive through the hooks."""
    expert = ScriptedExpert(robot.task)
    for _ in range(ticks):
        delta, gripper = expert.act(robot)
        robot.tick(robot.commanded_position + delta * MAX_STEP_M, gripper)
        if robot.success:
            return True
    return False


def base_position(robot):
    return robot.environment.data.body(OBJECTS[robot.task.name].base).xpos.copy()


@pytest.mark.parametrize("name", OBJECTS)
def test_handled_geometry_grows_and_the_picture_shows_it(name, make_robot):
    robot = begin(make_robot(name, pixels=64))
    sizes = robot.environment.model.geom_size[handled_geoms(robot)].copy()
    hold(robot, 8, FAR)
    picture = robot.images()["front"].astype(int)
    begin(robot, ObjectScale(2.0))
    np.testing.assert_allclose(robot.environment.model.geom_size[handled_geoms(robot)], 2.0 * sizes)
    hold(robot, 8, FAR)
    assert (np.abs(robot.images()["front"].astype(int) - picture).max(axis=2) > 20).sum() > 15


@pytest.mark.parametrize("name", sorted(set(SLIDERS) | {"button-press"}))
def test_larger_handle_does_not_change_how_far_open_it_counts_as(name, make_robot):
    robot = begin(make_robot(name))
    where = robot.environment._get_pos_objects()
    begin(robot, ObjectScale(2.0))
    np.testing.assert_allclose(robot.environment._get_pos_objects(), where, atol=2e-3)


@pytest.mark.parametrize("name", ["push", "peg-insert"])
def test_larger_loose_object_lies_on_the_table(name, make_robot):
    robot = begin(make_robot(name))
    hold(robot, 80)
    usual = base_position(robot)[2]
    begin(robot, ObjectScale(1.5))
    hold(robot, 80)
    half_height = robot.environment.model.geom_size[handled_geoms(robot)[0]][1]
    assert base_position(robot)[2] - usual == pytest.approx(half_height / 3, abs=2e-3)


@pytest.mark.parametrize("factor", [0.3, 3.0])
def test_friction_between_fingers_and_object_is_scaled(factor, make_robot):
    frictions = []
    for perturbations in ((), (ObjectFriction(factor),)):
        robot = begin(make_robot("pick-place"), *perturbations)
        solve(robot, 130)  # by then the puck is held
        frictions.append(_largest_friction(robot))
    assert frictions[1] / frictions[0] == pytest.approx(factor)


def _largest_friction(robot):
    model, data = robot.environment.model, robot.environment.data
    pads = {model.geom(name).id for name in ("leftpad_geom", "rightpad_geom")}
    thing = set(handled_geoms(robot))
    touching = [
        c.friction[0] for c in data.contact if {c.geom1, c.geom2} & pads and {c.geom1, c.geom2} & thing
    ]
    assert touching, "the puck is between the fingers"
    return max(touching)


def test_hand_starts_outside_and_the_episode_has_not_begun(make_robot):
    robot = begin(make_robot("drawer-open"))
    usual = robot.position
    begin(robot, StartOutside((0.12, -0.05, 0.02)))
    np.testing.assert_allclose(robot.position - usual, (0.12, -0.05, 0.02), atol=0.01)
    assert (robot.ticks, robot.success) == (0, False)


@pytest.mark.parametrize("name", OBJECTS)
def test_teleport_moves_the_object_at_its_time_and_the_task_stays_solvable(name, make_robot):
    robot = begin(make_robot(name), Teleport(distance_m=0.05, angle_rad=0.4, at_tick=12))
    before = base_position(robot)
    hold(robot, 12)
    np.testing.assert_allclose(base_position(robot)[:2], before[:2], atol=2e-3)
    hold(robot, 1)
    assert np.linalg.norm((base_position(robot) - before)[:2]) == pytest.approx(0.05, abs=3e-3)
    assert solve(robot)


def test_teleport_avoids_putting_the_object_into_the_hand(make_robot):
    robot = begin(make_robot("push"))
    # a finger is where it would go
    robot.place_hand(np.add(base_position(robot), (0.05, 0.045, 0.03)))
    jump = Teleport(distance_m=0.05, angle_rad=0.0, at_tick=0)
    robot.perturbations = (jump,)
    hold(robot, 1)
    assert jump.shift_m is not None
    assert jump.shift_m[0] < 0.01


@pytest.mark.parametrize("name", OBJECTS)
@pytest.mark.parametrize("seed", range(3))
def test_small_shift_stays_in_the_range_of_training(name, seed, make_robot):
    robot = make_robot(name)
    shift = SmallShift(distance_m=0.015, angle_rad=2.0 * seed)
    robot = begin(robot, shift, seed=seed)
    assert np.linalg.norm(shift.shift_m) <= 0.0151
    space = robot.environment._random_reset_space
    low, high = (
        (SLIDERS[name].low, SLIDERS[name].high) if name in SLIDERS else (space.low[:3], space.high[:3])
    )
    moved = np.abs(shift.shift_m) > 0
    here = base_position(robot)
    assert ((here >= np.array(low) - 1e-9) & (here <= np.array(high) + 1e-9))[moved].all()


@pytest.mark.parametrize("name", ["reach", "push", "pick-place"])
def test_goal_moves_once_when_work_has_begun(name, make_robot):
    moved = MovedGoal(np.array([0.0, -0.1, 0.0]))
    robot = begin(make_robot(name), moved)
    goal = robot.environment._target_pos.copy()
    hold(robot, 4)
    np.testing.assert_array_equal(robot.environment._target_pos, goal)
    solve(robot)
    assert moved.moved
    np.testing.assert_allclose(robot.environment._target_pos - goal, (0.0, -0.1, 0.0), atol=1e-9)
    np.testing.assert_allclose(robot.environment.model.site("goal").pos - goal, (0.0, -0.1, 0.0), atol=1e-9)


def test_proprio_noise_has_its_size_and_one_value_per_tick(make_robot):
    robot = begin(make_robot("reach"), ProprioNoise(0.02, 0.1, seed=1))
    errors = []
    for _ in range(300):
        np.testing.assert_array_equal(proprio(robot), proprio(robot))
        errors.append(robot.reported_proprio()[0] - robot.position)
        robot.ticks += 1
    assert np.std(errors) == pytest.approx(0.02, rel=0.1)
    assert abs(np.mean(errors)) < 0.003


def test_frozen_proprio_stands_still_and_wakes_up(make_robot):
    robot = begin(make_robot("reach"), FrozenProprio(first_tick=3, frozen_ticks=5, live_ticks=2))
    stuck = []
    for _ in range(12):
        stuck.append(not np.array_equal(robot.reported_proprio()[0], robot.position))
        hold(robot, 1, np.add(FAR, 0.1))
    assert stuck == [False] * 4 + [True] * 4 + [False] * 3 + [True]


def test_action_noise_has_its_size_and_lasts_a_policy_step(make_robot):
    robot = begin(make_robot("reach"))
    noise = ActionNoise(0.005, 4, seed=2)
    applied = []
    for tick in range(400):
        robot.ticks = tick
        applied.append(noise.before_tick(robot, FAR, -1.0)[0] - FAR)
    steps = np.reshape(applied, (100, 4, 3))
    assert np.std(steps) == pytest.approx(0.005, rel=0.1)
    assert (np.ptp(steps, axis=1) == 0).all()


def test_lost_gain_covers_a_share_of_the_way(make_robot):
    robot = begin(make_robot("reach"))
    start, target = robot.commanded_position, np.add(robot.commanded_position, (0.1, 0.1, 0.05))
    begin(robot, LostGain(0.3))
    hold(robot, 60, target)
    np.testing.assert_allclose(robot.position - start, 0.3 * (target - start), atol=0.015)


def test_weak_gripper_does_not_lift_the_puck(make_robot):
    robot = begin(make_robot("pick-place"))
    assert solve(robot)
    begin(robot, WeakGripper(0.01))
    assert not solve(robot)
    assert base_position(robot)[2] < 0.025


@pytest.mark.parametrize("name", OBJECTS)
def test_welded_object_stays_whatever_the_expert_does(name, make_robot):
    robot = begin(make_robot(name), Welded())
    joint = robot.environment.model.body(OBJECTS[name].part).jntadr[0]
    before = robot.environment.data.joint(int(joint)).qpos.copy()
    assert not solve(robot, 200)
    np.testing.assert_allclose(robot.environment.data.joint(int(joint)).qpos, before, atol=4e-3)
    assert np.isfinite(robot.environment.data.qpos).all()


def test_light_changes_the_picture_as_it_says(make_robot):
    means = {}
    for factor in (1.0, 0.7, 1.3):
        robot = begin(make_robot("drawer-open"), Light(factor, factor))
        means[factor] = robot.images()["front"].mean()
    assert means[0.7] < 0.85 * means[1.0]
    assert means[1.3] > 1.05 * means[1.0]  # the wall is white already


def test_pictures_are_tinted_covered_and_noisy_by_the_tick(make_robot):
    robot = begin(make_robot("drawer-open"))
    clear = robot.images()
    robot.perturbations = (Tint((0.9, 1.0, 0.8)),)
    tinted = robot.images()["wrist"]
    np.testing.assert_allclose(tinted, clear["wrist"] * np.array([0.9, 1.0, 0.8]), atol=0.51)
    robot.perturbations = (Occlusion("front", 0.25, 0.25, 0.5),)
    covered = robot.images()
    assert (covered["front"][8:24, 8:24] == 96).all()
    np.testing.assert_array_equal(covered["wrist"], clear["wrist"])
    robot.perturbations = (CameraNoise(20.0, seed=1),)
    noisy = robot.images()["front"]
    assert np.std(noisy.astype(int) - clear["front"]) == pytest.approx(20.0, rel=0.25)
    np.testing.assert_array_equal(noisy, robot.images()["front"])
    robot.ticks += 1
    assert (noisy != robot.images()["front"]).any()


def test_delayed_disturbance_begins_at_its_time(make_robot):
    robot = begin(make_robot("drawer-open"), Delayed(ProprioNoise(0.05, 0.0, seed=0), 8))
    for tick in range(16):
        truthful = np.array_equal(robot.reported_proprio()[0], robot.position)
        assert truthful == (tick <= 8)
        hold(robot, 1)


def test_delayed_weld_blocks_from_then_on(make_robot):
    robot = begin(make_robot("drawer-open"), Delayed(Welded(), 8))
    hold(robot, 4)
    assert robot.environment.model.dof_damping.max() < 1e4
    hold(robot, 8)
    assert not solve(robot, 200)
    assert abs(robot.opening) < 0.02


def test_every_task_but_reaching_has_an_object():
    assert set(OBJECTS) == set(TASKS) - {"reach"}
