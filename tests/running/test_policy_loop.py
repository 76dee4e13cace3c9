# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What the loop does with answers that are wrong, late or unwanted, and with images still to come."""

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import yaml

from helpers.fake_spec import SIZE, SPEC
from lbm_policy_node.core.execution.arbitration import PolicyState
from lbm_policy_node.core.observation.gate import ObservationGate
from lbm_policy_node.core.observation.samples import JointSample, PoseSample
from lbm_policy_node.core.reasons import ReasonCode
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.types import ActionChunk
from lbm_policy_node.policies.checkpoint.errors import PolicyUnavailable
from lbm_policy_node.policies.checkpoint.features import Feature
from lbm_policy_node.policies.weightless import WeightlessConfig, WeightlessPolicy
from lbm_policy_node.running.goal import Ending, GoalHandler, Termination
from lbm_policy_node.running.inference import Embed, Inference, no_embedding
from lbm_policy_node.running.inference_worker import ThreadedWorker
from lbm_policy_node.running.policy_loop import PolicyLoop, Sampling
from lbm_policy_node.running.schedule import Mode, Schedule

STEP_NS = 50_000_000
MAX_FAILURES = 3


class ScriptedPolicy:
    """The weightless policy with an answer changed on the way out."""

    def __init__(self, change: Callable[[np.ndarray], np.ndarray]) -> None:
        features = {
            f"observation.images.{camera}": Feature("VISUAL", (3, SIZE, SIZE))
            for camera in ("front", "wrist")
        }
        config = WeightlessConfig(
            input_features={**features, "observation.state": Feature("STATE", (4,))},
            output_features={"action": Feature("ACTION", (4,))},
            hold_state_indices=(0, 1, 2, 3),
        )
        self._policy = WeightlessPolicy(config, "id")
        self.spec, self.change = self._policy.spec, change

    def infer(self, history: Any, *, n_samples: int = 1, seed: int = 0, prefix: Any = None) -> np.ndarray:
        return self.change(self._policy.infer(history, n_samples=n_samples, seed=seed))


class Bench:
    """A loop with a hand-fed robot."""

    def __init__(
        self,
        change: Callable[[np.ndarray], np.ndarray] = lambda samples: samples,
        embed: Embed = no_embedding,
    ) -> None:
        self.robot = RobotSpec.from_mapping(yaml.safe_load(SPEC))
        self.policy = ScriptedPolicy(change)
        self.answered = threading.Event()
        self.gate, self.endings, self.chunks = (
            ObservationGate(self.robot),
            list[Ending](),
            list[ActionChunk](),
        )
        self.goals = GoalHandler(self.endings.append)
        self.goals.enabled = True
        self.worker = ThreadedWorker(Inference(self.policy, embed), self.answered.set)
        self.loop = PolicyLoop(
            robot=self.robot,
            policy=self.policy.spec,
            gate=self.gate,
            worker=self.worker,
            schedule=Schedule(Mode.CONTINUOUS, STEP_NS, 8, STEP_NS),
            sampling=Sampling(n_samples=2, seed=100, max_failures=MAX_FAILURES),
            goals=self.goals,
            publish=self.chunks.append,
        )
        self.now_ns = 10_000_000_000

    def start(self) -> None:
        assert self.goals.start("go", 0.0, self.now_ns).ok
        self.loop.restart()

    def feed(self, *streams: str) -> None:
        """Deliver a sample of now on each stream, as the node does."""
        for stream in streams:
            self.gate.push(stream, self.now_ns, _sample(stream), self.now_ns)
            self.loop.poll(self.now_ns)

    def step(self) -> None:
        """Advance to the next observation, with all streams."""
        self.now_ns += STEP_NS
        self.feed("joints", "ee_pose", "front", "wrist")

    def answer(self, delay_ns: int = 1) -> None:
        """Wait for the policy and take its answer."""
        assert self.answered.wait(20.0)
        self.answered.clear()
        self.now_ns += delay_ns
        self.loop.take_result(self.now_ns)


def _sample(stream: str) -> Any:
    if stream == "joints":
        return JointSample(("gripper_opening",), np.array([0.5]), np.array([]), np.array([]))
    if stream == "ee_pose":
        return PoseSample(np.zeros(3), np.array([0.0, 0.0, 0.0, 1.0]), "base")
    return np.zeros((SIZE, SIZE, 3), np.uint8)


@pytest.fixture
def make_bench():
    benches: list[Bench] = []

    def make(*arguments: Any) -> Bench:
        benches.append(Bench(*arguments))
        return benches[-1]

    yield make
    for bench in benches:
        assert bench.worker.stop()


def _raise(_samples: np.ndarray) -> np.ndarray:
    raise RuntimeError("out of memory")


@pytest.mark.parametrize(
    ("change", "code", "named"),
    [
        (_raise, ReasonCode.INFERENCE_FAILED, "RuntimeError: out of memory"),
        (lambda samples: samples[:, :3], ReasonCode.INFERENCE_FAILED, "shape"),
        (lambda samples: samples * np.nan, ReasonCode.INFERENCE_NON_FINITE, "NaN"),
    ],
)
def test_a_failing_policy_publishes_nothing_and_ends_the_run_with_the_reason(make_bench, change, code, named):
    bench = make_bench(change)
    bench.start()
    for attempt in range(1, MAX_FAILURES + 1):
        bench.step()
        bench.answer()
        report = bench.loop.report()
        assert report.n_failed == attempt and not bench.chunks
        if attempt < MAX_FAILURES:
            assert report.state == PolicyState.BLOCKED and report.reason.code == code
            assert named in report.reason.text
    (ending,) = bench.endings
    assert ending.termination is Termination.POLICY_ERROR and ending.reason.code == code


def test_each_time_that_a_chunk_is_used_up_before_the_next_one_is_counted(make_bench):
    bench = make_bench()
    bench.start()
    bench.step()
    bench.answer()
    assert bench.loop.report().n_starved == 0
    bench.now_ns = bench.chunks[-1].end_ns
    bench.loop.poll(bench.now_ns)
    assert bench.loop.report().n_starved == 0, "its last row is due now"
    for _ in range(3):
        bench.now_ns += STEP_NS
        bench.loop.poll(bench.now_ns)
    assert bench.loop.report().n_starved == 1, "once, however long it lasts"
    bench.step()
    bench.answer()
    assert len(bench.chunks) == 2
    bench.now_ns = bench.chunks[-1].end_ns + 1
    bench.loop.poll(bench.now_ns)
    assert bench.loop.report().n_starved == 2


def test_a_policy_that_recovers_goes_on(make_bench):
    bench = make_bench(_raise)
    bench.start()
    bench.step()
    bench.answer()
    bench.policy.change = lambda samples: samples
    bench.step()
    bench.answer()
    assert len(bench.chunks) == 1 and bench.loop.report().state == PolicyState.RUNNING
    assert bench.chunks[0].samples.shape[0] == 2 and bench.chunks[0].seed == 101


def test_a_failed_observation_is_not_asked_again(make_bench):
    bench = make_bench(_raise)
    bench.start()
    bench.step()
    bench.answer()
    assert bench.worker.idle and bench.loop.report().n_failed == 1
    bench.step()
    assert not bench.worker.idle
    bench.answer()


def test_a_chunk_that_is_past_when_it_is_ready_is_not_published(make_bench):
    bench = make_bench()
    bench.start()
    bench.step()
    bench.answer(delay_ns=17 * STEP_NS)
    assert not bench.chunks and bench.loop.report().n_failed == 1


@pytest.mark.parametrize("interrupt", ["new run", "clock jump"])
def test_an_answer_to_an_earlier_run_or_clock_is_thrown_away(make_bench, interrupt):
    bench = make_bench()
    bench.start()
    bench.step()
    if interrupt == "new run":
        bench.goals.end(Termination.CANCELED, bench.now_ns)
        bench.start()
    else:
        bench.loop.on_clock_jump()
    bench.answer()
    assert not bench.chunks


def test_only_one_inference_is_in_flight(make_bench):
    release = threading.Event()

    def wait(samples: np.ndarray) -> np.ndarray:
        assert release.wait(20.0)
        return samples

    bench = make_bench(wait)
    bench.start()
    for _ in range(3):
        bench.step()
    assert not bench.worker.idle
    release.set()
    bench.answer()
    bench.answer()  # take_result polls, and the newest observation is inferred at once
    assert [chunk.chunk_id for chunk in bench.chunks] == [1, 2]
    assert bench.chunks[1].observation_stamp_ns - bench.chunks[0].observation_stamp_ns == 2 * STEP_NS


def _run_until_front_of_the_next_instant(bench: Bench) -> None:
    bench.start()
    for _ in range(3):
        bench.step()
        bench.answer()
    bench.now_ns += STEP_NS
    bench.feed("joints", "ee_pose", "front")
    assert bench.worker.idle  # front is here, the wrist image of this instant is due: wait for it


def test_the_images_of_one_instant_are_not_torn_apart(make_bench):
    bench = make_bench()
    _run_until_front_of_the_next_instant(bench)
    bench.feed("wrist")
    bench.answer()
    assert bench.chunks[-1].observation_stamp_ns == bench.now_ns - 1


def test_a_late_image_is_waited_for_no_longer_than_the_allowed_skew(make_bench):
    bench = make_bench()
    _run_until_front_of_the_next_instant(bench)
    stamp_ns = bench.now_ns
    bench.now_ns += bench.robot.max_skew_ns
    bench.loop.poll(bench.now_ns)
    bench.answer()
    assert bench.chunks[-1].observation_stamp_ns == stamp_ns


def test_the_chunk_carries_the_embedding_of_the_observations_behind_it(make_bench):
    bench = make_bench(lambda samples: samples, lambda history: 2.0 * history[-1].state)
    bench.start()
    bench.step()
    bench.answer()
    (chunk,) = bench.chunks
    assert chunk.embedding.dtype == np.float32
    np.testing.assert_array_equal(chunk.embedding, np.array([0.0, 0.0, 0.0, 1.0], np.float32))


def test_no_embedding_is_sent_unless_it_is_wanted(make_bench):
    bench = make_bench()
    bench.start()
    bench.step()
    bench.answer()
    assert bench.chunks[0].embedding.shape == (0,)


def test_an_embedding_of_another_shape_is_a_failed_inference(make_bench):
    bench = make_bench(lambda samples: samples, lambda history: np.zeros((2, 3)))
    bench.start()
    bench.step()
    bench.answer()
    reason = bench.loop.report().reason
    assert reason.code == ReasonCode.INFERENCE_FAILED and "embedding has shape (2, 3)" in reason.text
    assert not bench.chunks


def _away(_samples: np.ndarray) -> np.ndarray:
    raise PolicyUnavailable("ws://gpu:8000 cannot be reached")


def test_a_policy_that_is_away_blocks_without_counting_as_a_failure_and_resumes(make_bench):
    bench = make_bench(_away)
    bench.start()
    for _ in range(3 * MAX_FAILURES):
        bench.step()
        bench.answer()
    report = bench.loop.report()
    assert report.state == PolicyState.BLOCKED and report.reason.code == ReasonCode.POLICY_UNAVAILABLE
    assert "ws://gpu:8000 cannot be reached" in report.reason.text
    assert report.n_failed == 0 and report.n_blocked == 3 * MAX_FAILURES and not bench.endings
    assert np.isnan(report.inference.last_s)  # not asking is no inference time
    bench.policy.change = lambda samples: samples
    bench.step()
    bench.answer()
    assert len(bench.chunks) == 1 and bench.loop.report().state == PolicyState.RUNNING
