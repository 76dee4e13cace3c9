# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What the policy node saw, rebuilt from an episode by the node's own rule, and brought onto a regular grid.

```
samples in the order of arrival --> ObservationGate (as live) --> sightings at their own stamps
grid     |     .     .     .     .     .       anchored at the first chunk's observation, else the first
stamps     o     o  o     o        o     o     each grid time takes the nearest one, at most half a step off,
                                              and only that one is decoded
```
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lbm_policy_node.core.observation.gate import ObservationGate
from lbm_policy_node.core.observation.sighting import Sighting
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


def sightings(episode: Episode) -> Iterator[Sighting | Reason]:
    """Yield everything that the policy node could have seen, oldest first, and why there was nothing to see.

    The node looks after every sample; of several sightings of one stamp it keeps the first.
    """
    gate = ObservationGate(episode.spec)
    for stream, (first_ns, period_ns) in _rhythms(episode).items():
        gate.expect(stream, first_ns, period_ns)
    names = [stream.name for stream in episode.spec.observation_streams]
    newest_ns: int | None = None
    now_ns: int | None = None
    for sample in episode.samples(names):
        if now_ns is not None and sample.log_ns > now_ns:  # all that arrived at one instant is there
            seen = gate.look(now_ns)
            if isinstance(seen, Reason):
                yield seen
            elif seen is not None and (newest_ns is None or seen.stamp_ns > newest_ns):
                newest_ns = seen.stamp_ns
                yield seen
        now_ns = sample.log_ns
        gate.push(sample.stream, sample.stamp_ns, sample.sample, sample.log_ns)
    if now_ns is not None:
        seen = gate.look(now_ns)
        if isinstance(seen, Sighting) and (newest_ns is None or seen.stamp_ns > newest_ns):
            yield seen


def grid_steps(episode: Episode) -> Iterator[GridStep]:
    """Yield the places of the grid from the first observation to the last, in order.

    The text of an observation is left empty here: it is not part of the robot's state.
    """
    step_ns = episode.spec.step_ns
    chunks = episode.chunks
    anchor_ns = chunks[0].chunk.observation_stamp_ns if chunks else None
    before: Sighting | None = None
    taken: Observation | None = None
    reason, time_ns = OK, 0
    for seen in sightings(episode):
        if isinstance(seen, Reason):
            reason = seen
            continue
        if before is None:
            anchor_ns = seen.stamp_ns if anchor_ns is None else anchor_ns
            time_ns = anchor_ns + round((seen.stamp_ns - anchor_ns) / step_ns) * step_ns
            before = seen
            continue
        while time_ns <= seen.stamp_ns:
            found, why = _nearest((before, seen), taken, time_ns, step_ns)
            yield GridStep(time_ns, found, OK if found else reason if why.ok else why)
            time_ns += step_ns
            taken = found or taken
        before, reason = seen, OK
    if before is not None and (last := _nearest((before,), taken, time_ns, step_ns)[0]):
        yield GridStep(time_ns, last)


def _nearest(
    candidates: Sequence[Sighting], taken: Observation | None, time_ns: int, step_ns: int
) -> tuple[Observation | None, Reason]:
    """Build the candidate nearest to a place, if it is near enough and newer than what was taken before.

    One that cannot be decoded is passed over, for the reason that is returned with it.
    """
    why = OK
    for sighting in sorted(candidates, key=lambda s: abs(s.stamp_ns - time_ns)):
        near = 2 * abs(sighting.stamp_ns - time_ns) <= step_ns
        if not near or (taken is not None and sighting.stamp_ns <= taken.stamp_ns):
            break
        built = sighting.build("")
        if not isinstance(built, Reason):
            return built, OK
        why = built
    return None, why


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
