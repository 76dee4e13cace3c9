# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Show where the demo is."""

import sys
from typing import Any

import click


class Progress:
    """Shows where the demo is: a live line on a terminal, a line per episode elsewhere."""

    def __init__(self, n_episodes: int) -> None:
        self._n_episodes, self._number, self._instruction = n_episodes, 0, ""
        self._live = sys.stderr.isatty()

    def __call__(self, event: dict[str, Any]) -> None:
        """Take an event of the operator."""
        show = getattr(self, f"_on_{event['event']}", None)
        if show is not None:
            show(event)

    def _on_ready(self, event: dict[str, Any]) -> None:
        click.echo(f"graph is up; checkpoint {event['checkpoint']}", err=True)

    def _on_episode_begins(self, event: dict[str, Any]) -> None:
        self._number, self._instruction = event["number"] + 1, event["task"]
        self._line("laying out the scene")

    def _on_episode_started(self, event: dict[str, Any]) -> None:
        self._instruction = event["instruction"]
        self._line("0.0 s")

    def _on_progress(self, event: dict[str, Any]) -> None:
        self._line(f"{event['elapsed_s']:.1f} s, {event['chunks']} chunks  {event['reason']}")

    def _on_episode_done(self, event: dict[str, Any]) -> None:
        color = "green" if event["solved"] else "red"
        verdict = click.style(event["ending"], fg=color)
        click.echo(f"{self._head()}{verdict}, {event['seconds']:.1f} s, {event['chunks']} chunks", err=True)

    def _head(self) -> str:
        back = "\r\x1b[K" if self._live else ""
        return f"{back}[{self._number}/{self._n_episodes}] {self._instruction}: "

    def _line(self, text: str) -> None:
        if self._live:
            click.echo(self._head() + text, nl=False, err=True)
