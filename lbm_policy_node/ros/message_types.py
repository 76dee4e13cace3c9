# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Find the Python class of a ROS message type that a robot spec or a table names."""

import importlib


def message_class(type_name: str) -> type:
    """Return the Python class of "sensor_msgs/msg/Image".

    Raises:
        ValueError: Its package, or the message in it, is not installed; or the name has another form.
    """
    try:
        package, group, name = type_name.split("/")
        return getattr(importlib.import_module(f"{package}.{group}"), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(f"the message type '{type_name}' is not installed: {error}") from error
