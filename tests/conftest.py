# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""For every test: property tests are judged by their properties, not by how busy the machine is."""

import sys
from pathlib import Path

from hypothesis import HealthCheck, settings

settings.register_profile("lbm_policy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("lbm_policy")

sys.path.insert(0, str(Path(__file__).parent))  # for the helpers that several folders share
