# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The name of a monitor score as a command-line option."""

from __future__ import annotations

from typing import Any

import click

from lbm_policy_node.core.plugins import PluginError
from lbm_policy_node.monitors.scores.registry import score_class, score_names


class ScoreName(click.ParamType):
    """A score of this package, or of another installed one; looked up when the command runs."""

    name = "score"

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        """List the names in the help text."""
        try:
            return f"[{'|'.join(score_names())}]"
        except PluginError:
            return "SCORE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Refuse a name that is no score, or a score that cannot be used."""
        try:
            score_class(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        return value
