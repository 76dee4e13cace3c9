# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Judge what a robot's topics delivered for a few seconds against its spec, and say what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

import numpy as np

from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.spec.spec_streams import StreamSpec

DROPS_TO_MENTION = 0.05
REFUSED_TO_FAIL = 0.05
"""A larger share of refused messages is a failure."""

SLOW = 0.9
"""Images at less than this share of the rate that the policy's step asks for are worth a warning."""


class Level(Enum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    FAILURE = "failure"  # the graph would not run


@dataclass(frozen=True)
class Check:
    """One line of a diagnosis.

    Attributes:
        name: What was looked at.
        level: How bad it is.
        text: What was found.
        advice: What to do; empty when nothing is needed.
        values: Figures behind the text.
    """

    name: str
    level: Level
    text: str
    advice: str = ""
    values: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class StreamSamples:
    """What a probe saw of one topic.

    Attributes:
        types: Message types that publishers offer on the topic.
        stamps_s: Header stamps, in order of arrival.
        ages_s: ROS time of arrival minus stamp, one per message.
        publishers: Names of the nodes that publish the topic, one per publisher.
        problem: Why messages would be refused (stamp, size, encoding, joints, frame, a jump): the most
            frequent reason; empty when none would be.
        refused: How many messages would be refused.
        incomplete: How many messages held only some of the joints that the spec names.
    """

    types: Sequence[str] = ()
    stamps_s: Sequence[float] = ()
    ages_s: Sequence[float] = ()
    publishers: Sequence[str] = ()
    problem: str = ""
    refused: int = 0
    incomplete: int = 0

    @property
    def compete(self) -> bool:
        """Whether several publishers say the same things, not each its own joints."""
        return len(self.publishers) > 1 and 2 * self.incomplete < len(self.stamps_s)


def judge_streams(spec: RobotSpec, samples: Mapping[str, StreamSamples]) -> list[Check]:
    """Return a check per stream of a spec, and one for the skew within an observation."""
    checks = [judge_stream(spec, stream, samples[stream.name]) for stream in spec.streams.values()]
    observed = {stream.name: samples[stream.name].stamps_s for stream in spec.observation_streams}
    if len(observed) > 1 and all(len(stamps) for stamps in observed.values()):
        checks.append(judge_skew(spec, observed))
    return checks


def judge_stream(spec: RobotSpec, stream: StreamSpec, samples: StreamSamples) -> Check:
    """Judge one topic: presence, type, content, age, rate, drops; the first thing wrong is reported."""
    name, topic = f"stream {stream.name}", stream.topic
    if not samples.types:
        advice = (
            "start its driver, or correct `topic` in the spec; is it in another ROS_DOMAIN_ID or transport?"
        )
        return Check(name, Level.FAILURE, f"no publisher of {topic}", advice)
    if stream.type not in samples.types:
        found = ", ".join(samples.types)
        return Check(
            name, Level.FAILURE, f"{topic} is {found}", f"the spec says {stream.type}: correct one of them"
        )
    if not samples.stamps_s:
        advice = (
            "look at docs/transport.md: an image larger than the driver's shared-memory segment never arrives"
        )
        return Check(name, Level.FAILURE, f"{topic} is published, but nothing arrived", advice)
    timing = _judge_timing(spec, stream, samples, name)
    if timing.level is not Level.FAILURE and (samples.problem or samples.compete):
        return _judge_content(stream, samples, name)
    return timing


def _judge_content(stream: StreamSpec, samples: StreamSamples, name: str) -> Check:
    """Judge what the messages say, where something is wrong with it."""
    advice, who = "correct the driver's settings or the spec", ""
    if len(samples.publishers) > 1:
        who = f"{stream.topic} has {len(samples.publishers)} publishers: {', '.join(samples.publishers)}"
        advice = "let one node publish it: stop the others, or give them another topic"
    heard = len(samples.stamps_s)
    if not samples.problem:
        return Check(name, Level.WARNING, who, advice)
    count = "" if samples.refused >= heard else f" ({samples.refused} of {heard} messages)"
    text = f"{stream.topic}: {samples.problem}{count}" + (f"; {who}" if who else "")
    level = Level.FAILURE if samples.refused > REFUSED_TO_FAIL * heard else Level.WARNING
    return Check(name, level, text, advice)


def _judge_timing(spec: RobotSpec, stream: StreamSpec, samples: StreamSamples, name: str) -> Check:
    rate_hz, drops = rate_and_drops(samples.stamps_s)
    age_s = float(np.median(samples.ages_s))
    if len(samples.publishers) > 1 or samples.incomplete:
        drops = 0.0  # messages of several kinds have no common period
    rate, age = f"{rate_hz:.1f} Hz", f"{age_s * 1e3:.0f} ms old"
    if not any(samples.stamps_s):
        rate, age = f"{len(samples.stamps_s)} messages", "all with a zero stamp"
    text = f"{stream.topic}: {rate}, {age}, {drops:.0%} dropped"
    values = {"rate_hz": rate_hz, "age_s": age_s, "dropped": drops, "messages": float(len(samples.stamps_s))}
    if not -spec.max_skew_s <= age_s <= stream.max_age_s:
        advice = (
            f"limit {stream.max_age_s:g} s: synchronise the clocks, or stamp with ROS time (use_sim_time?)"
        )
        if not any(samples.stamps_s):
            advice = "the driver must fill in header.stamp"
        return Check(name, Level.FAILURE, text, advice, values)
    if drops > DROPS_TO_MENTION:
        advice = "give the publisher the profile config/transport/fastdds_mixed.xml (docs/transport.md)"
        return Check(name, Level.WARNING, text, advice, values)
    if stream.is_image and rate_hz < SLOW / spec.step_s:
        advice = f"the policy steps at {1.0 / spec.step_s:g} Hz: raise the camera's rate"
        return Check(name, Level.WARNING, text, advice, values)
    return Check(name, Level.OK, text, "", values)


def judge_skew(spec: RobotSpec, stamps_s: Mapping[str, Sequence[float]]) -> Check:
    """Judge how far apart the streams of one observation are.

    For each message of the slowest stream the nearest stamp of every other one is taken; the skew is the
    median, over messages, of the largest distance.
    """
    slowest = min(stamps_s, key=lambda name: len(stamps_s[name]))
    distances = np.array([_distances(stamps_s[slowest], stamps) for stamps in stamps_s.values()])
    skew_s = float(np.median(distances.max(axis=0)))
    worst = list(stamps_s)[int(np.argmax(np.median(distances, axis=1)))]
    text = f"{skew_s * 1e3:.0f} ms between streams (limit {spec.max_skew_s * 1e3:.0f} ms)"
    if skew_s > spec.max_skew_s:
        advice = (
            f"'{worst}' is furthest from '{slowest}': synchronise its clock, or trigger the cameras together"
        )
        return Check("skew", Level.FAILURE, text, advice, {"skew_s": skew_s})
    return Check("skew", Level.OK, text, "", {"skew_s": skew_s})


def rate_and_drops(stamps_s: Sequence[float]) -> tuple[float, float]:
    """Return the rate of arrival in Hz, and the share of messages that seem to be missing.

    The period is taken from the shorter intervals (their lower quartile), which drops do not lengthen; a
    publisher with an uneven period therefore looks as if it dropped some.
    """
    intervals = np.diff(np.sort(np.asarray(stamps_s, np.float64)))
    intervals = intervals[intervals > 0]
    if not len(intervals):
        return 0.0, 0.0
    period_s, span_s = float(np.quantile(intervals, 0.25)), float(intervals.sum())
    expected = round(span_s / period_s) + 1
    return len(intervals) / span_s, max(0.0, 1.0 - (len(intervals) + 1) / expected)


def _distances(reference_s: Sequence[float], stamps_s: Sequence[float]) -> np.ndarray:
    reference, stamps = np.asarray(reference_s), np.asarray(stamps_s)
    return np.abs(reference[:, None] - stamps[None, :]).min(axis=1)
