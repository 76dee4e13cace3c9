# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Joints of one stream that arrive in several messages, merged by name; each joint keeps its own age.

```
arm      |----A------A------A          A names the arm, G the gripper
gripper  |------G------G------.        merged: A with the last G, stamped as the older of the two
```
"""

from collections.abc import Iterable

import numpy as np

from lbm_policy_node.core.observation.samples import JointSample, Sample
from lbm_policy_node.core.reasons import Reason, ReasonCode
from lbm_policy_node.core.spec.spec_streams import QUANTITIES, Selection, StreamSpec

_Key = tuple[str, str]
"""A quantity and a joint."""


class JointMerger:
    """Completes a joint message with what the messages before it said. Not thread-safe.

    Attributes:
        incomplete: How many messages held only some of the needed joints, or none.
    """

    def __init__(self, stream: StreamSpec, selections: Iterable[Selection]) -> None:
        """Start with nothing known.

        Args:
            stream: Where the messages arrive.
            selections: The joints that are needed of it; other joints are ignored.
        """
        self._stream = stream
        self._needed = tuple(dict.fromkeys((s.quantity, joint) for s in selections for joint in s.joints))
        self._joints = tuple(dict.fromkeys(joint for _, joint in self._needed))
        self._quantities = {quantity for quantity, _ in self._needed}
        self._known: dict[_Key, tuple[int, float]] = {}
        self._whole: tuple[int, JointSample] | None = None
        self.incomplete = 0
        self._good_ns: int | None = None

    def restart(self) -> None:
        """Forget everything: the clock jumped."""
        self._known.clear()
        self._whole, self._good_ns = None, None

    def merge(self, stamp_ns: int, sample: JointSample) -> tuple[int, Sample] | None:
        """Return what is known after a message, with its stamp: that of the oldest joint in it.

        A malformed message comes back as it is, for its reader to refuse. One that says nothing of the needed
        joints yields None while a good one is young enough; else it comes back too, and its reader says
        what is missing.
        """
        offered = self._offered(sample)
        if offered is None:
            return stamp_ns, sample
        if len(offered) == len(self._needed):
            self._whole, self._good_ns = (stamp_ns, sample), stamp_ns
            return stamp_ns, sample
        self.incomplete += 1
        if not offered:
            return None if self._is_good_until(stamp_ns) else (stamp_ns, sample)
        self._note_whole()
        self._note(stamp_ns, sample, offered)
        if len(self._known) < len(self._needed):
            return stamp_ns, sample
        return self._merged(stamp_ns)

    def _offered(self, sample: JointSample) -> list[_Key] | None:
        """Return what is needed and in the message; None when it is malformed."""
        names = sample.names
        sizes = {quantity: np.size(getattr(sample, quantity)) for quantity in self._quantities}
        if any(size not in (0, len(names)) for size in sizes.values()):
            return None
        if any(names.count(joint) > 1 for joint in self._joints):
            return None
        return [key for key in self._needed if sizes[key[0]] and key[1] in names]

    def _is_good_until(self, stamp_ns: int) -> bool:
        return self._good_ns is not None and stamp_ns - self._good_ns <= self._stream.max_age_ns

    def _note_whole(self) -> None:
        if self._whole is not None:
            self._note(*self._whole, list(self._needed))
            self._whole = None

    def _note(self, stamp_ns: int, sample: JointSample, keys: list[_Key]) -> None:
        for key in keys:
            quantity, joint = key
            if key not in self._known or stamp_ns >= self._known[key][0]:
                value = float(getattr(sample, quantity)[sample.names.index(joint)])
                self._known[key] = (stamp_ns, value)

    def _merged(self, stamp_ns: int) -> tuple[int, Sample]:
        stamps = {key: stamp for key, (stamp, _) in self._known.items()}
        limit_ns = max(stamps.values()) - self._stream.max_age_ns
        late = [joint for (_, joint), stamp in stamps.items() if stamp < limit_ns]
        if late:
            age_s = (max(stamps.values()) - min(stamps.values())) / 1e9
            text = f"'{self._stream.name}' ({self._stream.topic}) has not named {late} for {age_s:.3f} s"
            return stamp_ns, Reason(ReasonCode.OBSERVATION_WRONG_JOINTS, text)
        self._good_ns = min(stamps.values())
        values = {
            quantity: np.array([self._known.get((quantity, j), (0, np.nan))[1] for j in self._joints])
            if quantity in self._quantities
            else np.empty(0)
            for quantity in QUANTITIES
        }
        return min(stamps.values()), JointSample(
            self._joints, values["position"], values["velocity"], values["effort"]
        )
