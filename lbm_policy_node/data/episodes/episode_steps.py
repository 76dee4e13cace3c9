# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What the policy node saw, rebuilt from an episode by the node's own rule, and brought onto a regular grid.

```
samples in the order of arrival --> ObservationSource (as live) --> observations at their own stamps
grid     |     .     .     .     .     .       anchored at the first chunk's observation, else the first
stamps     o     o  o     o        o     o     each grid time takes the nearest one, at most half a step off
```
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lbm_policy_node.core.observation.gate import ObservationSource
from lbm_policy_node.core.reasons import OK, Reason
from lbm_policy_node.core.types import Observation
from lbm_policy_node.data.episodes.episode import Episode
from lbm_policy_node.data.episodes.episode_records import RecordedSample

_LOOK_AHEAD_S = 2.0


@dataclass(frozen=True, eq=False)
class GridStep:
    """One place of the grid.

    Attributes:
        time_ns: The place.
        observation: What was seen then; None if nothing was, within half a step.
        reason: Why the newest attempt to observe failed; OK when it did not.
    """

    time_ns: int
    observation: Observation | None
    reason: Reason = OK


def observations(episode: Episode) -> Iterator[Observation | Reason]:
    """Yield every observation that the policy node could have used, oldest first, and why there was none.

    The node looks after every sample; of several observations of one stamp it keeps the first. The text of an
    observation is left empty here: it is not part of the robot's state.
    """
    source = ObservationSource(episode.spec)
    for stream, (first_ns, period_ns) in _rhythms(episode).items():
        source.expect(stream, first_ns, period_ns)
    names = [stream.name for stream in episode.spec.observation_streams]
    newest_ns: int | None = None
    now_ns: int | None = None
    for sample in episode.samples(names):
        if now_ns is not None and sample.log_ns > now_ns:  # all that arrived at one instant is there
            seen = source.observe(now_ns, "")
            if isinstance(seen, Reason):
                yield seen
            elif seen is not None and (newest_ns is None or seen.stamp_ns > newest_ns):
                newest_ns = seen.stamp_ns
                yield seen
        now_ns = sample.log_ns
        source.push(sample.stream, sample.stamp_ns, sample.value, sample.log_ns)
    if now_ns is not None:
        seen = source.observe(now_ns, "")
        if isinstance(seen, Observation) and (newest_ns is None or seen.stamp_ns > newest_ns):
            yield seen


def grid_steps(episode: Episode) -> Iterator[GridStep]:
    """Yield the places of the grid from the first observation to the last, in order."""
    step_ns = episode.spec.step_ns
    chunks = episode.chunks
    anchor_ns = chunks[0].chunk.observation_stamp_ns if chunks else None
    before: Observation | None = None
    taken: Observation | None = None
    reason, time_ns = OK, 0
    for seen in observations(episode):
        if isinstance(seen, Reason):
            reason = seen
            continue
        if before is None:
            anchor_ns = seen.stamp_ns if anchor_ns is None else anchor_ns
            time_ns = anchor_ns + round((seen.stamp_ns - anchor_ns) / step_ns) * step_ns
            before = seen
            continue
        while time_ns <= seen.stamp_ns:
            nearest = min((before, seen), key=lambda o: abs(o.stamp_ns - time_ns))
            fresh = _if_fresh(nearest, taken, time_ns, step_ns)
            yield GridStep(time_ns, fresh, OK if fresh else reason)
            time_ns += step_ns
            taken = fresh or taken
        before, reason = seen, OK
    if before is not None and (last := _if_fresh(before, taken, time_ns, step_ns)):
        yield GridStep(time_ns, last)


def _if_fresh(
    nearest: Observation, taken: Observation | None, time_ns: int, step_ns: int
) -> Observation | None:
    near = 2 * abs(nearest.stamp_ns - time_ns) <= step_ns
    return nearest if near and (taken is None or nearest.stamp_ns > taken.stamp_ns) else None


def _rhythms(episode: Episode) -> dict[str, tuple[int, int]]:
    """First stamp and period of each stream; the node knew them, for it listens before a run begins."""
    heard: dict[str, list[RecordedSample]] = {s.name: [] for s in episode.spec.observation_streams}
    stop_ns = episode.start_ns + round(_LOOK_AHEAD_S * 1e9)
    for sample in episode.samples(heard, stop_ns=stop_ns):
        heard[sample.stream].append(sample)
        if all(len(samples) >= 2 for samples in heard.values()):
            break
    stamps = {name: [sample.stamp_ns for sample in samples[:2]] for name, samples in heard.items()}
    return {name: (s[0], s[1] - s[0]) for name, s in stamps.items() if len(s) == 2 and s[1] > s[0]}
