# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""docs/parameters.md: every setting of both starters and of every node."""

from __future__ import annotations

from collections.abc import Iterator

from lbm_policy_node.core.settings import Setting, settings_of, shown
from lbm_policy_node.graph.bringup import GraphConfig
from lbm_policy_node.graph.nodes import NODE_CONFIGS
from lbm_policy_node.graph.replay import ReplayConfig

INTRODUCTION = """\
<!-- Written by `make docs` from the dataclasses and docstrings; do not edit. -->
# Parameters

Every setting of every node can be given to both starters, `lbm bringup` (and `lbm replay --live`) and the
launch files, in three ways:

| | `lbm bringup`, `lbm replay --live` | `ros2 launch lbm_policy bringup.launch.py`, `replay.launch.py` |
|---|---|---|
| a ROS 2 parameter file | `--params-file FILE`, repeatable | `params_file:=FILE` |
| one setting of a node | `--set policy_node.n_samples=8`, repeatable | `policy_node.n_samples:=8` |
| a setting of the starter | `--device cuda` | `device:=cuda` |
| the list of all | `--help` | `--show-args` |

```yaml
/**:                          # every node of the graph that has the setting
  ros__parameters:
    use_sim_time: true
policy_node:                  # the node in whichever namespace the graph gives it
  ros__parameters:
    n_samples: 8
/left/chunk_executor_node:    # only where the graph's namespace is left
  ros__parameters:
    enable_control: true
```

What wins, the strongest first:

1. `--set node.setting=value`, `node.setting:=value`; of several for one setting the last one.
2. A setting of the starter that stands for a node's (`--device` for `policy_node.device`), where it is
   given. So `--shadow` keeps the robot still, whatever a file says.
3. Parameter files, of several the later one; in each file the entries of a node over those with a wildcard
   (`/**`).
4. What the graph derives, such as `n_samples` and `replan_steps` from the monitor's calibration.
5. The default of the node, in the tables below.

Everything is checked before a process starts. An unknown node or setting is refused with the nearest known
one, a value of another type or outside its range with what was expected, and a file that names a node of
another package is refused, too: give each package its own file. Settings of a node that the graph does not
start are reported when they come from a file, and refused when they are set one by one. `/**` does not give
`use_sim_time` to the simulated robot and to the bag player, which publish the time. A replay refuses
`enable_control`. An empty launch argument counts as not given.

Every node also has `use_sim_time`. All parameters are read when a node starts, and read-only afterwards.
"""


def page() -> str:
    """Return the text of docs/parameters.md."""
    starters = {
        "`lbm bringup`, `bringup.launch.py`": GraphConfig,
        "`lbm replay --live`, `replay.launch.py`": ReplayConfig,
    }
    sections = [_section(title, kind) for title, kind in starters.items()]
    sections += [_section(f"`{node}`", kind) for node, kind in NODE_CONFIGS.items()]
    return "\n".join([INTRODUCTION, *sections])


def _section(title: str, kind: type) -> str:
    first, *_ = (kind.__doc__ or "").splitlines()
    return "\n".join([f"## {title}", first, "", *_table(kind)]) + "\n"


def _table(kind: type) -> Iterator[str]:
    yield "| setting | type | default | allowed | what it does |"
    yield "|---|---|---|---|---|"
    for entry in settings_of(kind):
        cells = (f"`{entry.name}`", entry.kind.__name__, _default(entry), _allowed(entry), entry.text)
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _default(entry: Setting) -> str:
    if entry.required:
        return "required"
    return f"`{shown(entry.default_in_force)}`" if entry.default_in_force != "" else "empty"


def _allowed(entry: Setting) -> str:
    if entry.choices:
        return ", ".join(f"`{choice}`" if choice else "empty" for choice in entry.choices)
    low, high = ("" if bound is None else shown(bound) for bound in (entry.low, entry.high))
    words = f"{low} to {high}" if low and high else ""
    if not words:
        words = f"at least {low}" if low else f"at most {high}" if high else ""
    return f"{words} {entry.unit}".strip()
