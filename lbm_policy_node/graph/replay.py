# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The graph that replays an episode: the same nodes in shadow mode, and the bag player in the robot's place.

``lbm replay --live`` and ``launch/replay.launch.py`` both start what ``describe_replay`` returns.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from lbm_policy_node.graph.bringup import NODE_MODULES, Graph, GraphConfig, NodeProcess, describe
from lbm_policy_node.graph.monitor_choice import AUTO
from lbm_policy_node.graph.transport import choose

PLAYER = "bag_player_node"
SPEC_FILE = "robot.yaml"
"""The copy of the robot spec in every episode, which the data layer writes."""


@dataclass(frozen=True, kw_only=True)
class ReplayConfig:
    """What a user chooses.

    Attributes:
        episode: Folder of a recorded episode.
        checkpoint: Folder of the policy's checkpoint; empty: only the player, beside a graph that runs.
        rate: Recorded seconds per second.
        loop: Begin again at the end.
        start_s: Begin so far into the episode.
        skip_unknown: Leave out messages of types that are not installed.
        run_policy: Start the policy with the recorded instruction.
        robot: Robot spec; empty: the one of the recording.
        namespace: Of policy, executor and monitor.
        device: Where the policy computes.
        monitor: "on", "off", or "auto".
        transport: One of transport.CHOICES.
    """

    episode: str
    checkpoint: str = ""
    rate: float = 1.0
    loop: bool = False
    start_s: float = 0.0
    skip_unknown: bool = False
    run_policy: bool = True
    robot: str = ""
    namespace: str = ""
    device: str = "cpu"
    monitor: str = AUTO
    transport: str = "mixed"


def describe_replay(config: ReplayConfig) -> Graph:
    """Return the processes, the player last: it waits until somebody listens.

    Raises:
        SpecError: The robot spec is refused.
        FileNotFoundError: There is no such episode, robot or checkpoint.
        ValueError: The rate is not above 0, the transport is unknown, or the calibration cannot be read.
    """
    episode = Path(config.episode).resolve()
    robot = config.robot or str(episode / SPEC_FILE)
    if not config.robot and not (episode / SPEC_FILE).is_file():
        raise FileNotFoundError(f"'{config.episode}' is no recorded episode: it has no {SPEC_FILE}")
    if not 0.0 < config.rate <= 1000.0:
        raise ValueError(f"rate is {config.rate:g}; expected above 0, at most 1000")
    chosen = choose(config.transport)
    player = NodeProcess(
        name=PLAYER,
        module=NODE_MODULES[PLAYER],
        namespace=config.namespace,
        parameters={
            "episode": str(episode),
            "rate": float(config.rate),
            "loop": config.loop,
            "start_s": float(config.start_s),
            "skip_unknown": config.skip_unknown,
            "run_policy": config.run_policy,
        },
        environment=chosen.environment,
    )
    if not config.checkpoint:
        return Graph(processes=(player,), transport=chosen, messages=())
    graph = describe(
        GraphConfig(
            robot=robot,
            checkpoint=config.checkpoint,
            enable_control=False,
            use_sim_time=True,
            transport=config.transport,
            namespace=config.namespace,
            device=config.device,
            monitor=config.monitor,
        )
    )
    return replace(graph, processes=(*graph.processes, player))
