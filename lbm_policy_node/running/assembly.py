# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Make an action chunk of the samples that a policy has returned."""

from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.types import ActionChunk, Array
from lbm_policy_node.policies.policy import PolicySpec

from .inference import InferenceResult
from .schedule import Schedule


class ChunkAssembly:
    """Knows what all chunks of one policy on one robot have in common."""

    def __init__(self, robot: RobotSpec, policy: PolicySpec, schedule: Schedule) -> None:
        """Keep what chunks are labelled with."""
        self._robot, self._policy, self._schedule = robot, policy, schedule

    def chunk(self, result: InferenceResult, samples: Array, index: int) -> ActionChunk:
        """Return the chunk; its first row is due one lead after the newest observation.

        Args:
            result: The answer.
            samples: Its samples, shape (n_samples, horizon, action_dim); the first one is executed.
            index: Chunks of this run before it.
        """
        request = result.request
        newest = request.history[-1]
        streams = tuple(newest.stream_stamps_ns)
        return ActionChunk(
            chunk_id=request.chunk_id,
            observation_stamp_ns=newest.stamp_ns,
            start_ns=newest.stamp_ns + self._robot.action.lead_ns,
            step_ns=self._robot.step_ns,
            actions=samples[0],
            samples=samples,
            action_names=self._robot.action_names,
            seed=request.seed,
            checkpoint_id=self._policy.checkpoint_id,
            instruction=request.instruction,
            stochastic=self._policy.stochastic,
            inference_s=result.inference_s,
            index=index,
            execution_horizon=self._schedule.execution_horizon,
            embedding=result.embedding,
            input_streams=streams,
            input_stamps_ns=tuple(tuple(o.stream_stamps_ns[s] for s in streams) for o in request.history),
        )
