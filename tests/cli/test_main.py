# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""`lbm` finds its commands and starts without heavy imports."""

import subprocess
import sys

from click.testing import CliRunner

from lbm_policy_node.cli.main import COMMANDS, main


def test_help_lists_every_command():
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    for name, entry in COMMANDS.items():
        assert f"  {name} " in result.output
        assert entry.help.split()[0] in result.output


def test_help_imports_nothing_heavy():
    program = (
        "import sys; from lbm_policy_node.cli.main import main; main(['--help'], standalone_mode=False);"
        "sys.exit(str({'torch', 'numpy', 'rclpy', 'mujoco', 'yaml'} & set(sys.modules) or ''))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert result.stderr == "\n"
    assert "Commands:" in result.stdout


def test_unknown_command_is_refused_by_name():
    result = CliRunner().invoke(main, ["trian"])
    assert result.exit_code == 2
    assert "trian" in result.output


def test_each_command_explains_itself():
    for name in COMMANDS:
        result = CliRunner().invoke(main, [name, "--help"])
        assert result.exit_code == 0, result.output
        assert f"main {name}" in result.output
