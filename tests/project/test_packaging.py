# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Both packages are found, valid and complete, and what set-up installs is pinned."""

import ast
import importlib
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import pytest
from catkin_pkg.package import parse_package

import lbm_policy_node
from lbm_policy_node import paths

DISTRIBUTIONS = {"cv2": "opencv-python-headless", "yaml": "pyyaml", "PIL": "pillow"}
OPTIONAL = {"cv_bridge", "launch", "launch_ros"}  # come with an installation of ROS 2, not with the wheels
TEST_TOOLS = {"pytest"}  # only its own plugin imports it


def requirement_lines(path) -> list[str]:
    lines = [line.split("#")[0].strip() for line in path.read_text().splitlines()]
    return [line for line in lines if line]


def distribution(line: str) -> str:
    return re.split(r"[\[=<>;! ]", line)[0].lower().replace("_", "-")


def console_scripts(root) -> dict[str, str]:
    tree = ast.parse((root / "setup.py").read_text())
    texts = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    return dict(text.split(" = ") for text in texts if re.fullmatch(r"\w+ = [\w.]+:\w+", text))


@pytest.mark.parametrize("folder", [".", "lbm_msgs"])
def test_package_xml_is_valid(root, folder):
    warnings: list[str] = []
    package = parse_package(str(root / folder), warnings=warnings)
    package.validate(warnings=warnings)
    assert not warnings
    assert package.licenses == ["Apache-2.0"]
    assert package.version == lbm_policy_node.__version__


def test_colcon_finds_both_packages(root):
    listed = subprocess.run(
        [sys.executable, "-m", "colcon", "list"], cwd=root, capture_output=True, text=True, check=True
    )
    found = [tuple(line.split("\t")) for line in listed.stdout.splitlines()]
    assert found == [("lbm_msgs", "lbm_msgs", "(ros.ament_cmake)"), ("lbm_policy", ".", "(ros.ament_python)")]


def test_no_folder_turns_into_a_python_package_by_accident(root):
    for folder in ("launch", "config", "lbm_msgs"):
        assert not (root / folder / "__init__.py").exists()


def test_each_program_starts_a_function_that_exists(root):
    scripts = console_scripts(root)
    nodes = {
        "policy_node", "chunk_executor_node", "monitor_node", "recorder_node",
        "sim_robot_node", "scripted_teleop_node", "keyboard_teleop_node", "bag_player_node",
    }  # fmt: skip
    assert set(scripts) == {"lbm", *nodes}
    for module, function in (target.split(":") for target in scripts.values()):
        assert callable(getattr(importlib.import_module(module), function))


def test_package_xml_names_every_ros_package_that_the_code_imports(root, sources):
    imported = {name for file in sources.values() if file.layer == "ros" for name in file.foreign()}
    ros = {name for name in imported if name not in pinned(root) and name not in DISTRIBUTIONS}
    declared = {
        node.text for node in ElementTree.parse(root / "package.xml").getroot() if "depend" in node.tag
    }
    assert ros <= declared


def pinned(root) -> set[str]:
    return {distribution(line) for line in requirement_lines(root / "requirements" / "base.txt")}


def wheels(root) -> set[str]:
    lines = requirement_lines(root / "requirements" / "ros-jazzy.txt")
    return {distribution(line).removeprefix("ros-").replace("-", "_") for line in lines}


def test_every_imported_package_is_pinned(root, sources):
    imported: set[str] = {name for file in sources.values() for name in file.foreign()}
    ordinary = imported - OPTIONAL - TEST_TOOLS - wheels(root) - {"lbm_msgs"}
    assert {distribution(DISTRIBUTIONS.get(name) or name) for name in ordinary} <= pinned(root)


@pytest.mark.parametrize("name", ["ros-jazzy.txt", "base.txt", "dev.txt", "serve.txt", "peers.txt"])
def test_requirements_are_exact(root, name):
    for line in requirement_lines(root / "requirements" / name):
        assert re.fullmatch(r"[\w.\[\]-]+==[\w.]+(; python_version [<>=]+ \"3\.\d+\")?", line), line


def test_the_servers_own_environment_has_the_same_pins(root):
    serve, base = (requirement_lines(root / "requirements" / name) for name in ("serve.txt", "base.txt"))
    assert set(serve) <= set(base)


def test_every_source_file_names_its_license(root):
    files = [p for d in ("lbm_policy_node", "tests", "scripts", "launch") for p in (root / d).rglob("*.py")]
    assert not [p for p in files if "SPDX-License-Identifier: Apache-2.0" not in p.read_text()[:300]]


def test_shared_files_of_a_checkout_are_in_its_root(root):
    assert paths.shared_root() == root


def test_shared_files_of_an_installation_are_below_its_prefix(tmp_path):
    module = tmp_path / "lib" / "python3.11" / "site-packages" / "lbm_policy_node" / "paths.py"
    share = tmp_path / "share" / "lbm_policy"
    share.mkdir(parents=True)
    (share / "package.xml").touch()
    assert paths.shared_root(module) == share


def test_shared_files_behind_a_symlinked_build_are_in_the_checkout(tmp_path, root):
    (tmp_path / "lbm_policy_node").symlink_to(root / "lbm_policy_node")
    assert paths.shared_root(tmp_path / "lbm_policy_node" / "paths.py") == root


def test_missing_shared_files_are_named(tmp_path, root):
    with pytest.raises(FileNotFoundError, match="share/lbm_policy"):
        paths.shared_root(tmp_path / "somewhere" / "lbm_policy_node" / "paths.py")
    with pytest.raises(FileNotFoundError, match=r"no-such-spec\.yaml"):
        paths.shared_path("config/robots/no-such-spec.yaml")
