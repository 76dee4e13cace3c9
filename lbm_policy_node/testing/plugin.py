# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The pytest plugin: options that name a folder of episodes and a checkpoint, and fixtures of them.

::

    pytest --lbm-episodes episodes --lbm-checkpoint candidate

    def test_the_policy_answers_as_recorded(recorded_episode, lbm_checkpoint):
        assert_replays(recorded_episode, lbm_checkpoint)

The same can stand in pytest.ini as lbm_episodes and lbm_checkpoint, relative to that file.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from lbm_policy_node.replay.candidate import Candidate

EPISODES, CHECKPOINT, DEVICE = "lbm_episodes", "lbm_checkpoint", "lbm_device"
HEADER_FILE = "episode.json"
"""What every recorded episode has; the data layer writes it."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer the options on the command line and in pytest.ini."""
    group = parser.getgroup("lbm_policy", "recorded episodes as regression tests")
    for name, text in (
        (EPISODES, "folder of recorded episodes, for the fixture recorded_episode"),
        (CHECKPOINT, "checkpoint under test, for the fixture lbm_checkpoint"),
        (DEVICE, "where the checkpoint computes: cpu or cuda"),
    ):
        group.addoption(f"--{name.replace('_', '-')}", dest=name, metavar="X", help=text)
        parser.addini(name, text, default="")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test that asks for a recorded episode once per episode."""
    if "recorded_episode" not in metafunc.fixturenames:
        return
    folder = _setting(metafunc.config, EPISODES)
    if not folder:
        skipped = pytest.mark.skip(reason="no recorded episodes: give --lbm-episodes FOLDER")
        metafunc.parametrize("recorded_episode", [pytest.param(None, marks=skipped, id="none")])
        return
    episodes = find_episodes(metafunc.config.rootpath / folder)
    metafunc.parametrize("recorded_episode", episodes, ids=[episode.name for episode in episodes])


def find_episodes(folder: Path) -> list[Path]:
    """Return the episodes in a folder, by name.

    Raises:
        pytest.UsageError: There is none: a regression test that tests nothing must not pass.
    """
    episodes = sorted(path.parent for path in folder.glob(f"*/{HEADER_FILE}"))
    if not episodes:
        raise pytest.UsageError(f"--lbm-episodes: no recorded episode in '{folder}' (*/{HEADER_FILE})")
    return episodes


@pytest.fixture(scope="session", name="lbm_checkpoint")
def _lbm_checkpoint(pytestconfig: pytest.Config) -> Candidate:
    """The checkpoint under test, loaded once."""
    from lbm_policy_node.testing import load_candidate

    checkpoint = _setting(pytestconfig, CHECKPOINT)
    if not checkpoint:
        pytest.skip("no checkpoint under test: give --lbm-checkpoint FOLDER")
    return load_candidate(pytestconfig.rootpath / checkpoint, device=_setting(pytestconfig, DEVICE) or "cpu")


def _setting(config: pytest.Config, name: str) -> str:
    """An option, relative to where pytest was called, or the same in pytest.ini."""
    option = config.getoption(name)
    if option:
        return option if name == DEVICE else str(config.invocation_params.dir / option)
    return str(config.getini(name))
