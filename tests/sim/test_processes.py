# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Work goes to as many processes as asked for, and one is this one."""

import math
import os

import pytest

from lbm_policy_node.sim.processes import run_in_processes


def test_one_process_is_this_one():
    assert list(run_in_processes(os.getpid, [()] * 3, 1)) == [os.getpid()] * 3


@pytest.mark.slow
def test_two_processes_are_others_and_do_everything():
    assert sorted(run_in_processes(math.isqrt, [(1,), (4,), (9,)], 2)) == [1, 2, 3]
    assert os.getpid() not in run_in_processes(os.getpid, [()], 2)


@pytest.mark.slow
@pytest.mark.parametrize("processes", [1, 2])
def test_an_error_of_the_work_comes_through(processes):
    with pytest.raises(TypeError, match="cannot be interpreted"):
        list(run_in_processes(math.isqrt, [("a",)], processes))
