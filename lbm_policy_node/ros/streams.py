# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Subscribe to the streams that a robot spec names, and hand each message on as a sample, not decoded yet."""

from collections.abc import Callable, Iterable
from typing import Any

from rclpy.callback_groups import CallbackGroup
from rclpy.node import Node

from lbm_policy_node.core.observation.samples import LazySample
from lbm_policy_node.core.spec.spec_streams import StreamSpec
from lbm_policy_node.messages.compressed_images import load_decoder
from lbm_policy_node.messages.stamps import to_ns

from . import conversion, qos
from .message_types import message_class

OnSample = Callable[[str, int, LazySample, int], None]
"""Called with the stream's name, the header stamp in ns, the sample, and the ROS time of arrival in ns."""


class WhileNeeded(CallbackGroup):
    """Subscriptions that are left out of the wait set while nobody needs their messages.

    The middleware goes on receiving and keeps the newest messages, as many as the profile's depth. An idle
    node is not woken by them: waking rclpy for a message costs more than what we do with it.
    """

    def __init__(self, needed: Callable[[], bool]) -> None:
        """Ask ``needed`` each time before the executor waits."""
        super().__init__()
        self._needed = needed

    def can_execute(self, entity: Any) -> bool:
        """Say whether the executor may wait for the entity."""
        return self._needed()

    def beginning_execution(self, entity: Any) -> bool:
        """Let what was found ready be executed."""
        return True

    def ending_execution(self, entity: Any) -> None:
        """Nothing was locked."""


class StreamSubscriptions:
    """The subscriptions of some streams."""

    def __init__(
        self,
        node: Node,
        streams: Iterable[StreamSpec],
        on_sample: OnSample,
        needed: Callable[[], bool] = lambda: True,
    ) -> None:
        """Subscribe.

        Args:
            node: Whose subscriptions they are.
            streams: What to subscribe to.
            on_sample: Called in the node's executor thread.
            needed: Whether messages are of use now; while they are not they wait in the middleware.
        """
        self._node, self._on_sample = node, on_sample
        self._group = WhileNeeded(needed)
        chosen = list(streams)
        if any(stream.type.endswith("CompressedImage") for stream in chosen):
            load_decoder()
        self._subscriptions = [self._subscribe(stream) for stream in chosen]

    def take_waiting(self) -> None:
        """Hand on what has arrived while it was not needed; call it when it becomes needed."""
        for subscription in self._subscriptions:
            for _ in range(subscription.qos_profile.depth):
                with subscription.handle:
                    taken = subscription.handle.take_message(subscription.msg_type, subscription.raw)
                if taken is None:
                    break
                subscription.callback(taken[0])

    def destroy(self) -> None:
        """Unsubscribe."""
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)

    def _subscribe(self, stream: StreamSpec) -> Any:
        def receive(message: Any) -> None:
            now_ns = self._node.get_clock().now().nanoseconds
            stamp_ns = to_ns(message.header.stamp)
            self._on_sample(stream.name, stamp_ns, conversion.lazy_sample(message, stream.type), now_ns)

        profile = qos.CAMERA if stream.is_image else qos.PROPRIO
        return self._node.create_subscription(
            message_class(stream.type), stream.topic, receive, profile, callback_group=self._group
        )
