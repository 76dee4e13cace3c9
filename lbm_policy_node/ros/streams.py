# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Subscribe to the streams that a robot spec names, and hand each message on as a sample, not decoded yet."""

from collections.abc import Callable, Iterable
from typing import Any

from rclpy.node import Node

from lbm_policy_node.core.observation.samples import LazySample
from lbm_policy_node.core.spec.spec_streams import StreamSpec
from lbm_policy_node.messages.image_encoding import load_decoder
from lbm_policy_node.messages.stamps import to_ns

from . import conversion, qos
from .message_types import message_class

OnSample = Callable[[str, int, LazySample, int], None]
"""Called with the stream's name, the header stamp in ns, the sample, and the ROS time of arrival in ns."""


class StreamSubscriptions:
    """The subscriptions of some streams."""

    def __init__(self, node: Node, streams: Iterable[StreamSpec], on_sample: OnSample) -> None:
        """Subscribe; ``on_sample`` is called in the node's executor thread."""
        self._node, self._on_sample = node, on_sample
        chosen = list(streams)
        if any(stream.type.endswith("CompressedImage") for stream in chosen):
            load_decoder()
        self._subscriptions = [self._subscribe(stream) for stream in chosen]

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
        return self._node.create_subscription(message_class(stream.type), stream.topic, receive, profile)
