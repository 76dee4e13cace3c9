# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Disturbances of the simulated robot, drawn by seed: what a run-time monitor has to notice, or to ignore.

`catalogue` names them; each works through the hooks of `Perturbation`.
"""

from lbm_policy_node.sim.perturbations.perturbation import Perturbation, Undisturbed

__all__ = ["Perturbation", "Undisturbed"]
