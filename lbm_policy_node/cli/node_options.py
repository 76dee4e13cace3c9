# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""--params-file and --set: every setting of every node of a graph, and their list in --help."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import click

from lbm_policy_node.core.settings import Setting, settings_of, shown
from lbm_policy_node.graph.nodes import NODE_CONFIGS


def node_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add --params-file and --set, as `params_files` and `assignments`."""
    function = click.option(
        "--set",
        "assignments",
        multiple=True,
        metavar="NODE.SETTING=VALUE",
        help="Set one setting of a node, see below. Wins over files and flags. Repeatable; a later one wins.",
    )(function)
    return click.option(
        "--params-file",
        "params_files",
        multiple=True,
        type=click.Path(dir_okay=False),
        help="ROS 2 parameter file for the nodes, see docs/parameters.md. Flags win over it. Repeatable; a "
        "later one wins.",
    )(function)


def graph_command(nodes: Iterable[str]) -> type[click.Command]:
    """Return the class of a command whose --help ends with the settings of its nodes."""

    class GraphCommand(click.Command):
        """A command that starts a graph."""

        def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
            super().format_options(ctx, formatter)
            for node in nodes:
                with formatter.section(f"Settings of {node}, as --set {node}.SETTING=VALUE"):
                    formatter.write_dl([_row(entry) for entry in settings_of(NODE_CONFIGS[node])])

    return GraphCommand


def _row(entry: Setting) -> tuple[str, str]:
    default = shown(entry.default)
    return entry.name, f"{entry.description}  [{entry.expectation}; default: {default or 'empty'}]"
