# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The bag's files are what rosbag2 expects: field by field the same as what rosbags' own writer makes."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from mcap.reader import SeekingReader
from rosbags.rosbag2 import Reader, StoragePlugin, Writer

from lbm_policy_node.data.bags.bag_writer import BagWriter
from lbm_policy_node.data.bags.message_types import MessageTypes, UnknownTypeError

TOPICS = {"/joint_states": "sensor_msgs/msg/JointState", "/control_state": "lbm_msgs/msg/ControlState",
          "/silent": "std_msgs/msg/Bool"}  # fmt: skip
MESSAGES = [("/joint_states", 5_000_000_000, b"\0\1\0\0" + bytes(40)),
            ("/control_state", 5_100_000_000, b"\0\1\0\0" + bytes(90)),
            ("/joint_states", 7_000_000_001, b"\0\1\0\0" + bytes(44))]  # fmt: skip


@pytest.fixture
def ours(tmp_path) -> Path:
    writer = BagWriter(tmp_path / "bag", TOPICS)
    for message in MESSAGES:
        writer.write(*message)
    writer.close({"outcome": "SUCCESS"})
    return tmp_path / "bag"


@pytest.fixture
def theirs(tmp_path) -> Path:
    types = MessageTypes()
    for name in TOPICS.values():
        types.definition(name)
    path = tmp_path / "theirs" / "bag"
    path.parent.mkdir()
    writer = Writer(path, version=9, storage_plugin=StoragePlugin.MCAP)
    writer.set_custom_data("outcome", "SUCCESS")
    writer.open()
    connections = {t: writer.add_connection(t, name, typestore=types.store) for t, name in TOPICS.items()}
    for topic, log_ns, data in MESSAGES:
        writer.write(connections[topic], log_ns, data)
    writer.close()
    return path


def test_offered_qos_is_in_file_and_metadata_alike(tmp_path):
    words = {"history": "unknown", "depth": 0, "reliability": "best_effort", "durability": "transient_local",
             "deadline": {"sec": 9223372036, "nsec": 854775807}, "lifespan": {"sec": 1, "nsec": 5},
             "liveliness": "automatic", "liveliness_lease_duration": {"sec": 0, "nsec": 0},
             "avoid_ros_namespace_conventions": False}  # fmt: skip
    writer = BagWriter(tmp_path / "bag", TOPICS, qos={"/joint_states": yaml.safe_dump([words])})
    for message in MESSAGES:
        writer.write(*message)
    writer.close({})
    topics = metadata(tmp_path / "bag")["topics_with_message_count"]
    kept = {
        topic["topic_metadata"]["name"]: topic["topic_metadata"]["offered_qos_profiles"] for topic in topics
    }
    assert kept == {"/joint_states": [words], "/control_state": [], "/silent": []}
    with Reader(tmp_path / "bag") as reader:
        assert sum(1 for _ in reader.messages()) == len(MESSAGES), "rosbags asks that both say the same"


def metadata(path: Path) -> dict[str, Any]:
    return yaml.safe_load((path / "metadata.yaml").read_text())["rosbag2_bagfile_information"]


def summary(path: Path) -> Any:
    with (path / "bag.mcap").open("rb") as stream:
        found = SeekingReader(stream).get_summary()
    assert found is not None
    return found


def test_metadata_equals_the_reference_in_every_field(ours, theirs):
    mine, reference = metadata(ours), metadata(theirs)
    assert mine.pop("ros_distro") == "jazzy" and reference.pop("ros_distro") == "rosbags"
    assert mine == reference


def test_channels_and_schemas_equal_the_reference(ours, theirs):
    mine, reference = summary(ours), summary(theirs)

    def schemas(found: Any) -> dict[str, tuple[str, str]]:
        return {s.name: (s.encoding, s.data.decode().strip()) for s in found.schemas.values()}

    def channels(found: Any) -> dict[str, tuple[str, str]]:
        return {
            c.topic: (c.message_encoding, found.schemas[c.schema_id].name) for c in found.channels.values()
        }

    assert schemas(mine) == schemas(reference)
    assert channels(mine) == channels(reference)
    counts = {mine.channels[i].topic: n for i, n in mine.statistics.channel_message_counts.items()}
    assert counts == {"/joint_states": 2, "/control_state": 1}


def test_a_channel_names_the_hash_of_its_type_as_rosbag2_does(ours):
    hashes = {c.topic: c.metadata["topic_type_hash"] for c in summary(ours).channels.values()}
    in_metadata = {
        entry["topic_metadata"]["name"]: entry["topic_metadata"]["type_description_hash"]
        for entry in metadata(ours)["topics_with_message_count"]
    }
    assert hashes == in_metadata and all(text.startswith("RIHS01_") for text in hashes.values())


def test_a_type_without_a_definition_is_refused_with_the_places_searched_and_leaves_no_folder(tmp_path):
    with pytest.raises(UnknownTypeError, match=r"toy_msgs/msg/Gadget.*searched toy_msgs/msg/Gadget\.msg in"):
        BagWriter(tmp_path / "bag", {**TOPICS, "/gadget": "toy_msgs/msg/Gadget"})
    assert not (tmp_path / "bag").exists()


def test_a_type_that_rosbags_does_not_know_is_found_in_the_installed_packages(tmp_path, monkeypatch):
    folder = tmp_path / "prefix" / "share" / "toy_msgs" / "msg"
    folder.mkdir(parents=True)
    (folder / "Gadget.msg").write_text("std_msgs/Header header\nWheel[] wheels\n")
    (folder / "Wheel.msg").write_text("float32 radius  # m\n")
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path / "prefix"))
    writer = BagWriter(tmp_path / "bag", {"/gadget": "toy_msgs/msg/Gadget"})
    writer.write("/gadget", 1, b"\0\1\0\0" + bytes(20))
    writer.close({})
    (schema,) = summary(tmp_path / "bag").schemas.values()
    text = schema.data.decode()
    assert "MSG: toy_msgs/Wheel" in text and "float32 radius" in text and "MSG: std_msgs/Header" in text
