# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Many episodes on several processor cores."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Any, TypeVar

T = TypeVar("T")


def run_in_processes(
    function: Callable[..., T], calls: Sequence[tuple[Any, ...]], processes: int
) -> Iterator[T]:
    """Call a function with each of the arguments; yields results as they finish, in no particular order.

    One process is this one: another would load the policy and the simulator again, which takes seconds.

    Args:
        function: Of a module, with arguments and a result that another process can be sent.
        calls: The arguments of each call.
        processes: How many to use; they are spawned, because a renderer does not survive a fork.
    """
    if processes == 1:
        for arguments in calls:
            yield function(*arguments)
        return
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        for future in as_completed([pool.submit(function, *arguments) for arguments in calls]):
            yield future.result()
