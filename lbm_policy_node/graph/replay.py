# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The graph that replays an episode: the same nodes in shadow mode, and the bag player in the robot's place.

``lbm replay --live`` and ``launch/replay.launch.py`` both start what ``describe_replay`` returns.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from lbm_policy_node.core.settings import REQUIRED, check_settings, same_setting, setting
from lbm_policy_node.graph.bringup import (
    Graph,
    GraphConfig,
    assemble,
    checked,
    process,
)
from lbm_policy_node.graph.nodes import EXECUTOR, MONITOR, PLAYER, POLICY
from lbm_policy_node.graph.overrides import NodeSettings, Overrides
from lbm_policy_node.graph.starter_settings import defaults_by_node, given_by_node, of_node
from lbm_policy_node.graph.transport import CHOICES, choose

NODES = (EXECUTOR, MONITOR, POLICY, PLAYER)
"""Every node that this graph may have, in starting order."""
SPEC_FILE = "robot.yaml"
"""The copy of the robot spec in every episode, which the data layer writes."""


@dataclass(frozen=True, kw_only=True)
class ReplayConfig:
    """What a user chooses when playing an episode into a graph.

    Attributes:
        params_files: ROS 2 parameter files; a later one wins.
        settings: Values by node and setting, which win over everything else.
    """

    episode: str = setting(REQUIRED, "Folder of a recorded episode.")
    checkpoint: str = setting(
        "", "Folder of the policy's checkpoint; empty: only the player, beside a graph that runs."
    )
    rate: float | None = of_node(PLAYER, "rate")
    loop: bool | None = of_node(PLAYER, "loop")
    start_s: float | None = of_node(PLAYER, "start_s")
    skip_unknown: bool | None = of_node(PLAYER, "skip_unknown")
    run_policy: bool | None = of_node(PLAYER, "run_policy")
    robot: str = setting("", "Robot spec: a file, or a name in config/robots; empty: the recorded one.")
    namespace: str = setting("", "ROS namespace of all nodes.")
    device: str | None = of_node(POLICY, "device")
    monitor: str = same_setting(GraphConfig, "monitor")
    transport: str = setting(
        "mixed", "How images reach the other processes, see docs/transport.md.", choices=CHOICES
    )
    params_files: tuple[str, ...] = ()
    settings: NodeSettings = field(default_factory=dict)


def describe_replay(config: ReplayConfig) -> Graph:
    """Return the processes, the player last: it waits until its topics have subscribers.

    Raises:
        SpecError: The robot spec is refused.
        FileNotFoundError: There is no such episode, robot, checkpoint or parameter file.
        ValueError: A setting is refused, control is enabled, or the calibration cannot be read.
    """
    check_settings(config)
    episode = Path(config.episode).resolve()
    if not config.robot and not (episode / SPEC_FILE).is_file():
        raise FileNotFoundError(f"'{config.episode}' is no recorded episode: it has no {SPEC_FILE}")
    overrides = Overrides.read(config.params_files, given_by_node(config), config.settings)
    chosen = choose(config.transport)
    derived = {**defaults_by_node(ReplayConfig)[PLAYER], "episode": str(episode)}
    player = process(PLAYER, chosen, config.namespace, derived, overrides)
    if not config.checkpoint:
        return checked(Graph(processes=(player,), transport=chosen, messages=()), overrides)
    graph = assemble(_shadow_graph(config, episode), overrides)
    _refuse_control(graph)
    return checked(replace(graph, processes=(*graph.processes, player)), overrides)


def _shadow_graph(config: ReplayConfig, episode: Path) -> GraphConfig:
    return GraphConfig(
        robot=config.robot or str(episode / SPEC_FILE),
        checkpoint=config.checkpoint,
        use_sim_time=True,
        transport=config.transport,
        namespace=config.namespace,
        monitor=config.monitor,
    )


def _refuse_control(graph: Graph) -> None:
    """A replayed episode must not move a robot.

    Raises:
        ValueError: A parameter file or a setting enables control.
    """
    for started in graph.processes:
        if started.parameters.get("enable_control"):
            raise ValueError(f"{started.name}.enable_control is true; a replay runs in shadow mode only")
