# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The command `lbm`: imports the file of a command when it is called, so that `lbm --help` stays fast."""

import importlib
from dataclasses import dataclass

import click

from lbm_policy_node import __version__


@dataclass(frozen=True)
class Entry:
    """One line of `lbm --help`."""

    target: str  # "module:attribute" of a click command
    help: str


def _entry(name: str, text: str) -> Entry:
    return Entry(f"lbm_policy_node.cli.{name}:command", text)


COMMANDS: dict[str, Entry] = {
    "demo": _entry("demo", "Run the simulated robot, a policy and the executor through ten instructions."),
    "bringup": _entry(
        "bringup", "Start the graph for a robot: policy, executor and, for the demo robot, the simulator."
    ),
    "teleop": _entry("teleop", "Drive a robot by keyboard through the chunk executor, as by gamepad."),
    "doctor": _entry(
        "doctor", "Check GPU, ROS 2, rendering and the topics of a robot spec, and say what to do."
    ),
    "serve": _entry("serve", "Serve a policy by websocket to robots and to openpi's client; needs no ROS."),
    "info": _entry("info", "Describe a checkpoint and how it fits a robot spec."),
    "import-openpi": _entry("import_openpi", "Make an openpi PyTorch checkpoint a LeRobot pi0 or pi0.5."),
    "verify": _entry("verify", "Compare a checkpoint's numbers with reference tensors, stage by stage."),
    "collect": _entry("collect", "Record demonstrations of scripted experts as a LeRobotDataset."),
    "episodes": _entry("episodes", "List, show, draw and repair recorded episodes."),
    "export": _entry("export", "Turn recorded episodes into a LeRobotDataset, with who drove each step."),
    "train": _entry("train", "Train a multitask DiT or a pi0 on a LeRobotDataset, or fine-tune a pi0."),
    "eval": _entry("eval", "Measure success per task in closed loop."),
    "calibrate": _entry("calibrate", "Learn the runtime monitor's thresholds from recorded successes."),
    "monitor-stats": _entry(
        "monitor_stats", "Measure how well recorded scores separate failures from successes."
    ),
    "monitor-eval": _entry("monitor_eval", "Measure the runtime monitor in simulation."),
    "replay": _entry("replay", "Ask a checkpoint again what it saw in recorded episodes, and compare."),
    "bench": _entry("bench", "Measure latency and control-tick lateness against bare rclpy."),
    "bench-observe": _entry("bench_observe", "Measure what cameras cost the policy node, idle and running."),
    "bench-recorder": _entry("bench_recorder", "Measure what recording costs, and what is lost."),
    "bench-export": _entry("bench_export", "Measure how fast recorded episodes become a dataset."),
    "bench-pi0": _entry("bench_pi0", "Measure memory and time of a random pi0 of any size."),
    "bench-monitor": _entry("bench_monitor", "Measure what each score of the monitor costs per chunk."),
    "bench-replay": _entry("bench_replay", "Measure how much faster than real time an episode replays."),
}


class LazyGroup(click.Group):
    """A click group that imports a command's module only when that command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = COMMANDS.get(cmd_name)
        return load(entry) if entry else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in COMMANDS.items()])


def load(entry: Entry) -> click.Command:
    """Import the click command that an entry names."""
    module, attribute = entry.target.split(":")
    return getattr(importlib.import_module(module), attribute)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="lbm")
def main() -> None:
    """Run language-conditioned manipulation policies on robots under ROS 2."""


if __name__ == "__main__":
    main()
