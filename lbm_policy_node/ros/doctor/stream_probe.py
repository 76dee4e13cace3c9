# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Listen to the streams of a robot spec for a while and print what arrived, as JSON, for `lbm doctor`."""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import rclpy
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.utilities import get_rmw_implementation_identifier

from lbm_policy_node.core.observation.samples import LazySample
from lbm_policy_node.core.observation.stream_judge import StreamJudge
from lbm_policy_node.core.reasons import Reason
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.spec.spec_streams import StreamSpec
from lbm_policy_node.doctor.stream_health import StreamSamples
from lbm_policy_node.ros import topics
from lbm_policy_node.ros.streams import StreamSubscriptions

DISCOVERY_S = 1.5
CLOCK_S = 0.5
"""From the first sight of /clock to a reliable time."""


class StreamProbe(Node):
    """Notes stamps and ages; everything happens in the thread that spins."""

    def __init__(self, spec: RobotSpec) -> None:
        super().__init__("lbm_doctor")
        self._spec = spec
        self._stamps: dict[str, list[float]] = {name: [] for name in spec.streams}
        self._ages: dict[str, list[float]] = {name: [] for name in spec.streams}
        self._newest: dict[str, tuple[int, LazySample, int]] = {}
        self._refused: dict[str, list[Reason]] = {name: [] for name in spec.streams}
        self._judges = self._new_judges()
        self._recording = False
        self._streams = StreamSubscriptions(self, spec.streams.values(), self._on_sample)

    def listen(self, duration_s: float) -> None:
        """Discover, then record for a while; start over when a /clock appears: ages are in its time."""
        self._spin_until(time.monotonic() + DISCOVERY_S, lambda: False)
        follows_clock = self._follow_clock()
        self._recording = True
        self._spin_until(time.monotonic() + duration_s, lambda: not follows_clock and self._has_clock())
        if not follows_clock and self._follow_clock():
            self._spin_until(time.monotonic() + duration_s, lambda: False)

    def _has_clock(self) -> bool:
        return self.count_publishers(topics.CLOCK) > 0

    def _follow_clock(self) -> bool:
        """Take /clock as the time if it is published, and forget what was recorded by another time."""
        if self._has_clock():
            self.set_parameters([Parameter("use_sim_time", value=True)])
            self._spin_until(time.monotonic() + CLOCK_S, lambda: False)
            for recorded in (*self._stamps.values(), *self._ages.values(), *self._refused.values()):
                recorded.clear()
            self._judges = self._new_judges()
        return self._has_clock()

    def _new_judges(self) -> dict[str, StreamJudge]:
        streams = self._spec.streams.values()
        return {stream.name: StreamJudge(self._spec, stream) for stream in streams}

    def samples(self) -> dict[str, StreamSamples]:
        """Return what was seen of each stream."""
        return {name: self._of_stream(stream) for name, stream in self._spec.streams.items()}

    def _of_stream(self, stream: StreamSpec) -> StreamSamples:
        publishers = self.get_publishers_info_by_topic(stream.topic)
        refused = self._refused[stream.name] or self._judge_newest(stream)
        return StreamSamples(
            types=sorted({info.topic_type for info in publishers}),
            publishers=sorted(info.node_name for info in publishers),
            stamps_s=self._stamps[stream.name],
            ages_s=self._ages[stream.name],
            problem=most_frequent(refused).text if refused else "",
            refused=len(refused),
            incomplete=self._judges[stream.name].incomplete,
        )

    def _judge_newest(self, stream: StreamSpec) -> list[Reason]:
        """Judge the newest image once more with its pixels: to decode each one would take too long."""
        if not stream.is_image or stream.name not in self._newest:
            return []
        stamp_ns, sample, now_ns = self._newest[stream.name]
        reason = self._judges[stream.name].judge(stamp_ns, sample.decoded(), now_ns)
        return [] if reason.ok else [reason] * len(self._stamps[stream.name])

    def _spin_until(self, deadline: float, condition: Callable[[], bool]) -> None:
        """Spin until a steady time, or until a condition that is looked at after each callback."""
        while (remaining_s := deadline - time.monotonic()) > 0 and not condition():
            rclpy.spin_once(self, timeout_sec=min(remaining_s, 0.2))

    def _on_sample(self, name: str, stamp_ns: int, sample: LazySample, now_ns: int) -> None:
        if self._recording:
            self._stamps[name].append(stamp_ns * 1e-9)
            self._ages[name].append((now_ns - stamp_ns) * 1e-9)
            self._newest[name] = (stamp_ns, sample, now_ns)
            reason = self._judges[name].judge(stamp_ns, sample, now_ns)
            if not reason.ok:
                self._refused[name].append(reason)


def most_frequent(reasons: list[Reason]) -> Reason:
    """Return the newest of the reasons whose code comes most often."""
    code = Counter(reason.code for reason in reasons).most_common(1)[0][0]
    return next(reason for reason in reversed(reasons) if reason.code == code)


def main() -> int:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("robot")
    parser.add_argument("--duration-s", type=float, default=3.0)
    arguments = parser.parse_args()
    rclpy.init(args=[])
    probe = StreamProbe(RobotSpec.load(arguments.robot))
    probe.listen(arguments.duration_s)
    result: dict[str, Any] = {name: asdict(samples) for name, samples in probe.samples().items()}
    print(json.dumps({"rmw": get_rmw_implementation_identifier(), "streams": result}))
    rclpy.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
