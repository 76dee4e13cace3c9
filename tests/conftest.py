# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""For every test: property tests are judged by their properties, not by how busy the machine is."""

from hypothesis import HealthCheck, settings

settings.register_profile("lbm_policy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("lbm_policy")
