# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Message definitions by type name: standard ones from rosbags, all others from installed .msg files."""

from __future__ import annotations

import os
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from rosbags.interfaces import Nodetype
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.msg import normalize_msgtype
from rosbags.typesys.store import Typestore

from lbm_policy_node.paths import shared_root

DISTRO = Stores.ROS2_JAZZY
"""Whose standard definitions are known; Humble's are the same for every type that a robot spec may name."""


class UnknownTypeError(ValueError):
    """No definition of a message type can be found."""


class MessageTypes:
    """Knows the standard types, finds the others when asked for them."""

    def __init__(self) -> None:
        self.store: Typestore = get_typestore(DISTRO)

    def definition(self, type_name: str) -> tuple[str, str]:
        """Return the full definition, parts included, and its hash.

        Args:
            type_name: As ROS 2 writes it, "sensor_msgs/msg/Image".

        Raises:
            UnknownTypeError: With the places that were searched.
        """
        self._require(type_name)
        text, _ = self.store.generate_msgdef(type_name, ros_version=2)
        return text, self.store.hash_rihs01(type_name)

    def serialize(self, message: object, type_name: str) -> bytes:
        """Return CDR bytes of a message made from the store's classes."""
        self._require(type_name)
        return bytes(self.store.serialize_cdr(message, type_name))

    def empty(self, type_name: str) -> Any:
        """Return a message of the store's classes as ROS makes one: zeros, no text, empty lists.

        Raises:
            UnknownTypeError: The type has no definition, or has a list of a fixed length.
        """
        self._require(type_name)
        fields = self.store.fielddefs[type_name][1]
        return self.store.types[type_name](**{name: self._empty(type_name, kind) for name, kind in fields})

    def _empty(self, type_name: str, kind: Any) -> Any:
        node, detail = kind
        if node == Nodetype.NAME:
            return self.empty(detail)
        if node == Nodetype.BASE:
            return "" if detail[0] == "string" else np.zeros((), detail[0]).item()
        if node == Nodetype.ARRAY:
            raise UnknownTypeError(f"'{type_name}' has a list of a fixed length, which is not supported here")
        item, detail = detail[0]
        numbers = item == Nodetype.BASE and detail[0] != "string"
        return np.zeros(0, detail[0]) if numbers else []

    def _require(self, type_name: str) -> None:
        """Read definitions until the type and its parts are known."""
        missing = [type_name]
        while missing:
            name = missing.pop()
            if name in self.store.fielddefs:
                continue
            found = _parsed(_read(name), name)
            self.store.register(found)
            missing += [part for _, fields in found.values() for part in _parts(fields)]


@cache  # parsing takes most of the time of starting a recording
def _parsed(text: str, name: str) -> Any:
    return get_types_from_msg(text, name)


def _parts(fields: object) -> list[str]:
    """Names of the types inside field definitions, which rosbags keeps as nested tuples."""
    if isinstance(fields, str):
        return [normalize_msgtype(fields)] if "/" in fields else []
    if isinstance(fields, tuple | list):
        return [name for item in fields for name in _parts(item)]
    return []


def _read(type_name: str) -> str:
    package, _, rest = type_name.partition("/")
    prefixes = os.environ.get("AMENT_PREFIX_PATH", "").split(":")
    places = [*(Path(prefix) / "share" for prefix in prefixes if prefix), Path(sys.prefix) / "share"]
    places.append(shared_root())
    for place in places:
        path = place / package / f"{rest}.msg"
        if path.is_file():
            return path.read_text(encoding="utf-8")
    searched = ", ".join(str(place) for place in places)
    raise UnknownTypeError(f"no definition of '{type_name}'; searched {package}/{rest}.msg in {searched}")
