# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
# MuJoCo's names live in compiled modules without stubs, where pyright cannot see them.
from typing import Any

def __getattr__(name: str) -> Any: ...
