# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The reason codes of core and of lbm_msgs are one enumeration."""

import re

from helpers.places import ROOT
from lbm_policy_node.core.reasons import ReasonCode

DEFINITION = ROOT / "lbm_msgs" / "msg" / "Reason.msg"


def test_the_message_and_core_have_the_same_names_and_numbers():
    constants = re.findall(r"^uint16 (\w+)=(\d+)", DEFINITION.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert constants
    assert {name: int(number) for name, number in constants} == {code.name: int(code) for code in ReasonCode}
