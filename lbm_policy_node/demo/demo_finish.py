# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What a finished demo leaves and prints."""

from pathlib import Path

import click

from lbm_policy_node.demo.demo_plan import solved_tasks
from lbm_policy_node.demo.demo_run import DemoOutcome
from lbm_policy_node.graph.bringup import Graph


def finish(outcome: DemoOutcome, graph: Graph, output: Path, required: int) -> int:
    """Write table, pictures, dataset and results; return the exit code."""
    # matplotlib and pyarrow cost a second that the start does not pay
    from lbm_policy_node.demo import demo_episodes, demo_report

    results = outcome.results
    n_tasks = len({result.task for result in results if not result.rescue})
    n_solved = solved_tasks(results)
    demo_report.write_json(
        output / "results.json",
        results,
        tasks_solved=n_solved,
        first_motion_s=outcome.first_motion_s,
        transport=graph.transport.name,
    )
    demo_report.write_contact_sheet(output / "contact_sheet.png", results, output)
    demo_report.write_path_plot(output / "paths.png", results, output)
    exported = demo_episodes.export_episodes(results, output)
    timeline = demo_episodes.draw_rescue(results, output)
    click.echo(demo_report.table(results))
    first = outcome.first_motion_s
    moved = "nothing moved" if first is None else f"first motion {first:.1f} s after the start"
    click.echo(f"{n_solved} of {n_tasks} tasks solved; {moved}; pictures in {output}/")
    click.echo(exported)
    if timeline is not None:
        click.echo(f"timeline of the episode that the operator rescued: {timeline}")
    if n_solved < required:
        click.secho(f"fewer than the required {required}", fg="red", err=True)
        return 1
    return 0
