# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The policy node's report of its status; becomes PolicyStatus, action feedback and /diagnostics."""

from dataclasses import dataclass, field

from lbm_policy_node.core.execution.arbitration import PolicyState
from lbm_policy_node.core.health import ERROR, WARN, Health
from lbm_policy_node.core.health import OK as LEVEL_OK
from lbm_policy_node.core.reasons import OK, Reason

from .goal import Run
from .latency import Latency


@dataclass(frozen=True)
class PolicyReport:
    """One status.

    Attributes:
        state: What the node is doing.
        reason: Why not RUNNING.
        run: The run in progress.
        checkpoint_id: The loaded weights; empty when none.
        inference: Duration of inferences.
        age: Observation stamp to published chunk.
        n_chunks: Published since activation.
        n_blocked: Observation steps without a usable observation, or without a policy server, since
            activation.
        n_failed: Inferences that gave no usable chunk since activation.
        n_starved: Times a run's last chunk was used up before the next one came, since activation.
    """

    state: PolicyState = PolicyState.UNCONFIGURED
    reason: Reason = OK
    run: Run | None = None
    checkpoint_id: str = ""
    inference: Latency = field(default_factory=Latency)
    age: Latency = field(default_factory=Latency)
    n_chunks: int = 0
    n_blocked: int = 0
    n_failed: int = 0
    n_starved: int = 0


def health(report: PolicyReport) -> Health:
    """Condense a report for /diagnostics."""
    levels = {PolicyState.BLOCKED: WARN, PolicyState.ERROR: ERROR, PolicyState.UNCONFIGURED: ERROR}
    values = {
        "instruction": report.run.instruction if report.run else "",
        "checkpoint_id": report.checkpoint_id,
        "inference_median_s": report.inference.median_s,
        "inference_p99_s": report.inference.p99_s,
        "observation_age_median_s": report.age.median_s,
        "observation_age_p99_s": report.age.p99_s,
        "n_chunks": report.n_chunks,
        "n_blocked": report.n_blocked,
        "n_failed": report.n_failed,
        "n_starved": report.n_starved,
    }
    message = report.state.name if report.reason.ok else f"{report.state.name}: {report.reason}"
    return Health(levels.get(report.state, LEVEL_OK), message, values)
