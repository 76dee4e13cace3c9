# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What colcon (ament_python) and pip install; the dependencies are in package.xml and requirements/."""

import re
from pathlib import Path

from setuptools import find_packages, setup

NAME = "lbm_policy"
ROOT = Path(__file__).parent
SHARE = Path("share") / NAME
SHARED_FOLDERS = ("config", "launch", "checkpoints")


def version() -> str:
    """The one version number, kept in lbm_policy_node/__init__.py."""
    text = (ROOT / "lbm_policy_node" / "__init__.py").read_text()
    match = re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)
    if match is None:
        raise RuntimeError("lbm_policy_node/__init__.py has no line __version__ = ...")
    return match[1]


def shared_files() -> list[tuple[str, list[str]]]:
    """Every file below the shared folders, each installed at the same place below share/lbm_policy."""
    files = [path.relative_to(ROOT) for folder in SHARED_FOLDERS for path in (ROOT / folder).rglob("*")]
    by_folder: dict[str, list[str]] = {}
    for file in sorted(files):
        if (ROOT / file).is_file() and not any(p.startswith((".", "__pycache__")) for p in file.parts):
            by_folder.setdefault(str(SHARE / file.parent), []).append(str(file))
    return list(by_folder.items())


setup(
    name=NAME,
    version=version(),
    description="Run language-conditioned manipulation policies on physical robots under ROS 2",
    license="Apache-2.0",
    maintainer="lbm_policy contributors",
    maintainer_email="lbm_policy@example.com",
    python_requires=">=3.10",
    packages=find_packages(include=["lbm_policy_node", "lbm_policy_node.*"]),
    package_data={"lbm_policy_node": ["py.typed"]},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{NAME}"]),
        (str(SHARE), ["package.xml"]),
        *shared_files(),
    ],
    install_requires=["setuptools"],
    extras_require={"test": ["pytest", "pytest-timeout"]},  # without it `colcon test` runs nothing
    zip_safe=False,
    entry_points={
        "console_scripts": [
            "lbm = lbm_policy_node.cli.main:main",
            "policy_node = lbm_policy_node.ros.policy.policy_node:main",
            "chunk_executor_node = lbm_policy_node.ros.executor.chunk_executor_node:main",
            "monitor_node = lbm_policy_node.ros.monitor.monitor_node:main",
            "recorder_node = lbm_policy_node.ros.recorder.recorder_node:main",
            "sim_robot_node = lbm_policy_node.ros.sim.sim_robot_node:main",
            "scripted_teleop_node = lbm_policy_node.ros.sim.scripted_teleop_node:main",
            "keyboard_teleop_node = lbm_policy_node.ros.keyboard.keyboard_teleop_node:main",
            "bag_player_node = lbm_policy_node.ros.player.bag_player_node:main",
        ],
        # Named as the module, so that `pytest -p` of it finds the same plugin and not a second one.
        "pytest11": ["lbm_policy_node.testing.plugin = lbm_policy_node.testing.plugin"],
    },
)
