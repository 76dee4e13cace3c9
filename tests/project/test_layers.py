# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The layer rule: what each folder of lbm_policy_node may import."""

import re
from dataclasses import dataclass, replace

import pytest

NUMPY = {"numpy"}
TORCH = {"torch", "transformers", "safetensors", "tokenizers"}
SIMULATOR = {"mujoco", "metaworld", "gymnasium"}
PICTURES = {"cv2", "PIL", "matplotlib"}
ROS = {
    "rclpy", "lbm_msgs", "action_msgs", "ament_index_python", "builtin_interfaces", "cv_bridge",
    "diagnostic_msgs", "geometry_msgs", "launch", "launch_ros", "lifecycle_msgs", "rcl_interfaces",
    "rosgraph_msgs", "sensor_msgs", "std_msgs", "std_srvs", "trajectory_msgs", "unique_identifier_msgs",
}  # fmt: skip


@dataclass(frozen=True)
class Layer:
    """What a folder may import: our own folders ("" is a file directly in the package) and other packages."""

    own: set[str]
    foreign: set[str]


LAYERS = {
    "": Layer({""}, set()),
    "core": Layer({"core", ""}, NUMPY | {"yaml"}),
    "keyboard": Layer({"keyboard", "core", ""}, NUMPY),
    "messages": Layer({"messages", "core", ""}, NUMPY | {"cv2", "msgpack"}),
    "policies": Layer({"policies", "messages", "core", ""}, NUMPY | TORCH | {"websockets"}),
    "running": Layer({"running", "policies", "core", ""}, NUMPY),
    "serving": Layer({"serving", "policies", "messages", "core", ""}, NUMPY | {"websockets", "torch"}),
    "monitors": Layer({"monitors", "core", ""}, NUMPY | {"scipy", "torch", "safetensors", "PIL"}),
    "data": Layer(
        {"data", "messages", "core", ""},
        NUMPY | PICTURES | {"pyarrow", "av", "rosbags", "mcap", "yaml", "zstandard"},
    ),
    "replay": Layer(
        {"replay", "core", "messages", "data", "policies", "monitors", "graph", "running", ""},
        NUMPY | {"matplotlib"},
    ),
    "testing": Layer({"testing", "replay", ""}, {"pytest"}),
    "training": Layer(
        {"training", "core", "policies", "data", ""}, NUMPY | TORCH | PICTURES | {"accelerate", "tqdm"}
    ),
    "sim": Layer({"sim", "core", "policies", "running", ""}, NUMPY | SIMULATOR | PICTURES | {"scipy"}),
    "assessment": Layer(
        {"assessment", "monitors", "core", "data", "policies", "sim", ""},
        NUMPY | PICTURES | {"scipy", "mujoco"},
    ),
    # and the settings of each node: NODE_SETTINGS below
    "graph": Layer({"graph", "core", "monitors", ""}, {"yaml"}),
    "bench": Layer(
        {"bench", "core", "messages", "data", "graph", "monitors", "policies", "replay", "training", ""},
        NUMPY | TORCH | PICTURES | {"click", "yaml"},
    ),
    "demo": Layer({"demo", "core", "data", "graph", "sim", ""}, NUMPY | PICTURES | {"click", "tqdm"}),
    "doctor": Layer({"doctor", "core", "graph", ""}, NUMPY | {"click", "torch"}),
    "ros": Layer(
        {
            "ros", "core", "messages", "policies", "running", "monitors", "sim", "data", "graph", "keyboard",
            "demo", "doctor", "",
        },
        NUMPY | ROS | {"yaml", "cv2"},
    ),
    "cli": Layer(
        {
            "cli", "core", "policies", "serving", "data", "monitors", "assessment", "training", "sim",
            "replay", "graph", "bench", "demo", "doctor", "",
        },
        NUMPY
        | TORCH
        | SIMULATOR
        | PICTURES
        | {"click", "tqdm", "yaml", "pyarrow", "av", "accelerate", "scipy"},
    ),
}  # fmt: skip

# What a program must not pull in, lazily neither: a robot computer runs the executor without torch.
LIGHT_PROGRAMS = {
    "lbm_policy_node.ros.executor.chunk_executor_node": {
        "torch",
        "mujoco",
        "metaworld",
        "accelerate",
        "pyarrow",
        "av",
    },
    "lbm_policy_node.ros.policy.policy_node": {"mujoco", "metaworld", "accelerate", "pyarrow", "av"},
    # Only the ood_flow score needs torch, and only it asks for it, when it is chosen (importlib).
    "lbm_policy_node.ros.monitor.monitor_node": {
        "torch",
        "mujoco",
        "metaworld",
        "accelerate",
        "pyarrow",
        "av",
        "scipy",
    },
    "lbm_policy_node.ros.recorder.recorder_node": {
        "torch",
        "mujoco",
        "metaworld",
        "accelerate",
        "pyarrow",
        "av",
        "scipy",
    },
    "lbm_policy_node.cli.main": {"torch", "mujoco", "metaworld", "numpy", "rclpy", "yaml"},
}


NODE_SETTINGS = re.compile(r"lbm_policy_node\.ros\.\w+\.\w+_config")
"""Modules of ros that graph/nodes.py, and nothing else below ros, may import: settings without ROS."""


def test_every_folder_has_a_rule(sources):
    assert {file.layer for file in sources.values()} <= set(LAYERS)


def test_no_layer_imports_one_above_it(sources):
    wrong = {
        file.module: extra
        for file in sources.values()
        if (extra := layers_used(file) - LAYERS[file.layer].own)
    }
    assert not wrong


def layers_used(file) -> set[str]:
    """The layers that a file imports; what graph/nodes.py takes of the nodes' settings does not count."""
    if file.module == "lbm_policy_node.graph.nodes":
        rest = frozenset(name for name in file.imports if not NODE_SETTINGS.match(name))
        return replace(file, imports=rest).layers_used()
    return file.layers_used()


def test_settings_of_nodes_are_read_without_ros_and_without_torch(sources):
    modules = [name for name in sources if NODE_SETTINGS.fullmatch(name)]
    assert len(modules) >= 8
    for module in [*modules, "lbm_policy_node.graph.nodes"]:
        assert not reach(sources, module) & (ROS | TORCH | SIMULATOR), module


def test_no_layer_imports_a_package_that_its_rule_leaves_out(sources):
    wrong = {
        file.module: extra
        for file in sources.values()
        if (extra := file.foreign() - LAYERS[file.layer].foreign)
    }
    assert not wrong


@pytest.mark.parametrize("layer", sorted(set(LAYERS) - {"ros", ""}))
def test_only_ros_knows_ros(sources, layer):
    wrong = {f.module: f.foreign() & ROS for f in sources.values() if f.layer == layer and f.foreign() & ROS}
    assert not wrong


def reach(sources, module: str) -> set[str]:
    """Foreign packages that a module imports, itself or through our other files."""
    seen, todo = set(), {module}
    while todo:
        name = todo.pop()
        seen.add(name)
        parents = {name.rsplit(".", n)[0] for n in range(1, name.count(".") + 1)}
        todo |= ((sources[name].imports | parents) & set(sources)) - seen
    return set().union(*(sources[name].foreign() for name in seen))


@pytest.mark.parametrize("program", LIGHT_PROGRAMS)
def test_light_programs_reach_nothing_heavy(sources, program):
    assert program in sources
    assert not reach(sources, program) & LIGHT_PROGRAMS[program]


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ("import torch.nn as nn", "torch.nn"),
        ("def f():\n    from torch import nn", "torch"),
        ("from ..sim import robot", "lbm_policy_node.sim.robot"),
        ("from . import gate", "lbm_policy_node.core.gate"),
        ("from lbm_policy_node.ros.qos import CAMERA", "lbm_policy_node.ros.qos"),
    ],
)
def test_imports_are_seen_however_they_are_written(imports_in, source, seen):
    assert seen in imports_in(source, "lbm_policy_node.core")


def test_no_room_is_crowded(root):
    """At most 25 files in a folder; cli has one per command."""
    folders = {path.parent for path in (root / "lbm_policy_node").rglob("*.py")}
    counts = {str(folder.relative_to(root)): len(list(folder.glob("*.py"))) for folder in folders}
    assert {folder for folder, count in counts.items() if count > 25} <= {"lbm_policy_node/cli"}
