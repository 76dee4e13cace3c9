# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The ends of a run in running and in lbm_msgs are one enumeration."""

import re

from helpers.places import ROOT
from lbm_policy_node.running.goal import Termination

DEFINITION = ROOT / "lbm_msgs" / "action" / "RunPolicy.action"


def test_the_action_and_the_loop_have_the_same_names_and_numbers():
    text = DEFINITION.read_text(encoding="utf-8")
    constants = re.findall(r"^\w+ TERMINATION_(\w+)=(\d+)", text, flags=re.MULTILINE)
    numbers = {name: int(number) for name, number in constants}
    assert numbers.pop("NONE") == 0, "of a run that has not ended"
    assert numbers == {end.name: int(end) for end in Termination}
