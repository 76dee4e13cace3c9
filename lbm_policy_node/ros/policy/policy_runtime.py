# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What exists between configure and cleanup of the policy node: policy, thread, subscriptions, loop."""

from collections.abc import Callable

from lbm_msgs.msg import ActionChunk as ActionChunkMessage
from rclpy.node import Node

from lbm_policy_node.core.observation.gate import ObservationGate
from lbm_policy_node.core.observation.samples import LazySample
from lbm_policy_node.core.spec.compatibility import spec_differences
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.types import ActionChunk
from lbm_policy_node.policies.checkpoint.errors import CheckpointError
from lbm_policy_node.policies.load import load_policy
from lbm_policy_node.policies.policy import ClosingPolicy, EmbeddingPolicy, Policy, PolicySpec
from lbm_policy_node.running.goal import GoalHandler
from lbm_policy_node.running.inference import Embed, Inference, no_embedding
from lbm_policy_node.running.inference_worker import ThreadedWorker
from lbm_policy_node.running.policy_loop import PolicyLoop, Sampling
from lbm_policy_node.running.schedule import Mode, Schedule, make_schedule

from .. import conversion, qos, topics
from ..streams import StreamSubscriptions
from .policy_node_config import PolicyNodeConfig

POLL_PERIOD_S = 0.05
"""A stream that has stopped causes no callback; it is noticed within this time."""


class PolicyRuntime:
    """Built whole or not at all; all calls belong to the node's executor thread."""

    def __init__(
        self, node: Node, config: PolicyNodeConfig, goals: GoalHandler, on_progress: Callable[[], None]
    ) -> None:
        """Load, check and connect; ``on_progress`` is called whenever the status may have changed.

        Raises:
            SpecError: The robot spec is refused.
            CheckpointError: The checkpoint is refused, or does not fit the robot.
            ValueError: A parameter does not fit the checkpoint.
        """
        self._node, self._on_progress = node, on_progress
        robot = RobotSpec.load(config.robot)
        policy = load_policy(
            config.checkpoint, config.device, config.tokenizer or None, threads=config.threads
        )
        refuse_differences(policy.spec, robot, config.checkpoint)
        embed = choose_embedding(config, policy)
        schedule, warning = make_schedule(
            Mode(config.schedule), config.replan_steps, config.rate_hz, policy.spec, robot
        )
        if warning:
            node.get_logger().warning(warning)
        self._policy = policy
        self._frame = robot.base_frame
        self._gate = ObservationGate(robot, node.count_publishers)
        self._publisher = node.create_publisher(ActionChunkMessage, topics.ACTION_CHUNKS, qos.EVERY_CHUNK)
        self._answered = node.create_guard_condition(self._take_result)
        self._worker = ThreadedWorker(Inference(policy, embed), self._answered.trigger)
        self.loop = self._make_loop(robot, policy, schedule, config, goals)
        self._streams = StreamSubscriptions(
            node, robot.observation_streams, self._on_sample, needed=lambda: goals.run is not None
        )
        self._timer = node.create_timer(POLL_PERIOD_S, self.poll)

    @property
    def inferring(self) -> bool:
        """Whether an inference is in flight."""
        return not self._worker.idle

    def begin(self) -> None:
        """Begin a run: what arrived while the node was idle is the first that the policy sees."""
        self.loop.restart()
        self._streams.take_waiting()
        self.poll()

    def poll(self) -> None:
        """Look at the robot now."""
        self.loop.poll(self._now_ns())
        self._on_progress()

    def destroy(self) -> None:
        """Disconnect, and end the thread after the inference in flight."""
        self._node.destroy_timer(self._timer)
        self._streams.destroy()
        if isinstance(self._policy, ClosingPolicy):
            self._policy.close()
        if not self._worker.stop():
            self._node.get_logger().warning("the inference in flight does not end; its thread is left behind")
        self._node.destroy_guard_condition(self._answered)
        self._node.destroy_publisher(self._publisher)

    def _make_loop(
        self,
        robot: RobotSpec,
        policy: Policy,
        schedule: Schedule,
        config: PolicyNodeConfig,
        goals: GoalHandler,
    ) -> PolicyLoop:
        return PolicyLoop(
            robot=robot,
            policy=policy.spec,
            gate=self._gate,
            worker=self._worker,
            schedule=schedule,
            sampling=Sampling(config.n_samples, config.seed, config.max_failures),
            goals=goals,
            publish=self._publish,
        )

    def _now_ns(self) -> int:
        return self._node.get_clock().now().nanoseconds

    def _on_sample(self, stream: str, stamp_ns: int, sample: LazySample, now_ns: int) -> None:
        self._gate.push(stream, stamp_ns, sample, now_ns)
        self.loop.poll(now_ns)
        self._on_progress()

    def _take_result(self) -> None:
        self.loop.take_result(self._now_ns())
        self._on_progress()

    def _publish(self, chunk: ActionChunk) -> None:
        self._publisher.publish(conversion.chunk_message(chunk, frame_id=self._frame))


def refuse_differences(policy: PolicySpec, robot: RobotSpec, checkpoint: str) -> None:
    """Refuse a checkpoint that sees or commands something else than the robot has.

    Raises:
        CheckpointError: With every difference.
    """
    differences = spec_differences(robot, policy)
    if differences:
        raise CheckpointError(checkpoint, "", f"does not fit {robot.file}: {'; '.join(differences)}")


def choose_embedding(config: PolicyNodeConfig, policy: Policy) -> Embed:
    """Return what embeds observations, if that is asked for.

    Raises:
        ValueError: It is asked for, but the policy has no embedding.
    """
    if not config.send_embedding:
        return no_embedding
    if not isinstance(policy, EmbeddingPolicy):
        text = f"send_embedding is true, but a {policy.spec.kind} policy has no embedding"
        raise ValueError(f"{text}; set it to false, or give another checkpoint than {config.checkpoint}")
    return policy.embed
