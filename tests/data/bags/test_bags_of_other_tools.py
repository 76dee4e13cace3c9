# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What other tools have rewritten is read as it was recorded, repaired, or refused by a true sentence."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from mcap.reader import make_reader
from mcap.writer import CompressionType, IndexType
from rosbags.interfaces import ConnectionExtRosbag2
from rosbags.rosbag2 import CompressionMode, Reader, StoragePlugin

from helpers.foreign_bags import (
    START_NS,
    Rewrite,
    change_metadata,
    convert,
    list_files,
    pack,
    raw,
    small_bag,
    split,
)
from lbm_policy_node.data.bags.bag_errors import BagError, RepairableBagError
from lbm_policy_node.data.bags.bags import Bag
from lbm_policy_node.data.bags.repair import needs_repair, repair

QOS = """- history: 3
  depth: 0
  reliability: 1
  durability: 2
  deadline: {sec: 0, nsec: 0}
  lifespan: {sec: 0, nsec: 0}
  liveliness: 1
  liveliness_lease_duration: {sec: 0, nsec: 0}
  avoid_ros_namespace_conventions: false
"""
IDL = b"""module std_msgs { module msg { struct Bool { boolean data; }; struct Int32 { long data; };
struct Float64 { double data; }; }; };"""


@pytest.fixture
def bag(tmp_path) -> Path:
    return small_bag(tmp_path / "e")


def rename_file(path: Path) -> None:
    (path / "e.mcap").rename(path / "recovered.mcap")


def write_metadata_text(text: str) -> Any:
    return lambda path: (path / "metadata.yaml").write_text(text)


def with_metadata(**values: Any) -> Any:
    return lambda path: change_metadata(path, lambda metadata: metadata.update(values))


def with_topic(number: int, **values: Any) -> Any:
    """Change a topic of metadata.yaml: 0 is /flag, 1 is /number, 2 is /quiet."""

    def change(metadata: dict[str, Any]) -> None:
        topic = metadata["topics_with_message_count"][number]
        topic["message_count"] = values.get("message_count", topic["message_count"])
        topic["topic_metadata"].update({k: v for k, v in values.items() if k != "message_count"})

    return lambda path: change_metadata(path, change)


def without_topic(number: int) -> Any:
    return lambda path: change_metadata(path, lambda m: m["topics_with_message_count"].pop(number))


def both(*changes: Any) -> Any:
    return lambda path: [change(path) for change in changes]


def drop_metadata(path: Path) -> None:
    (path / "metadata.yaml").unlink()


READ = {
    "zstd chunks": Rewrite(compression=CompressionType.ZSTD),
    "lz4 chunks": Rewrite(compression=CompressionType.LZ4),
    "no chunks, no index": Rewrite(use_chunking=False, index=IndexType.NONE, use_statistics=False),
    "chunks without an index of messages": Rewrite(index=IndexType.CHUNK),
    "mcap compress drops topics without messages": Rewrite(with_quiet_topics=False),
    "attachments and metadata records": Rewrite(extras=True),
    "a topic in two channels": Rewrite(channels_per_topic=2),
    "definitions in IDL": Rewrite(encoding="ros2idl", definition=IDL),
    "QoS in the file only": Rewrite(qos=QOS),
    "a topic without messages has no definition": both(Rewrite(with_quiet_topics=False), without_topic(2)),
    "a listed topic without messages that is not in the file": with_topic(2, name="/never"),
    "split": split,
    "split, the second part listed first": lambda path: split(path, listed=(1, 0)),
    "the file compressed": lambda path: pack(path, keep_metadata=True),
    "sqlite3": lambda path: convert(path, StoragePlugin.SQLITE3),
    "each message compressed": lambda path: convert(path, StoragePlugin.MCAP, CompressionMode.MESSAGE),
    "sqlite3, the file compressed": lambda path: convert(path, StoragePlugin.SQLITE3, CompressionMode.FILE),
    "folders before the names, as of version 3": lambda path: list_files(path, "/old/place/e.mcap"),
    "a duration of zero": with_metadata(duration={"nanoseconds": 0}),
    "no custom data": with_metadata(custom_data=None),
}


@pytest.mark.parametrize("change", READ.values(), ids=READ)
def test_it_is_read_message_by_message_before_and_after_a_repair(bag, change):
    before = raw(bag)
    change(bag)
    assert raw(bag) == before
    with Bag(bag) as opened:
        assert {name: count for name, count in opened.counts.items() if count} == {"/flag": 20, "/number": 20}
        assert (opened.start_ns, opened.end_ns) == (before[0][1], before[-1][1] + 1)
        assert [m.value.data for m in opened.messages(["/number"])] == list(range(0, 40, 2))
    repair(bag)
    assert raw(bag) == before
    again = repair(bag)
    assert not again.changed and again.n_messages == 40 and again.seconds == pytest.approx(0.39)


def test_a_renamed_folder_is_read(bag):
    before = raw(bag)
    assert raw(bag.rename(bag.with_name("moved"))) == before


REPAIRED = {
    "no metadata": drop_metadata,
    "empty metadata": write_metadata_text(""),
    "metadata that is no YAML": write_metadata_text("rosbag2_bagfile_information:\n  - [\n"),
    "metadata of zeros": write_metadata_text("\0" * 400),
    "metadata without files": with_metadata(relative_file_paths=None),
    "a newer version": with_metadata(version=10),
    "ros2 bag reindex: no storage identifier": with_metadata(storage_identifier=""),
    "a renamed file": rename_file,
    "a renamed part": both(split, lambda path: (path / "e_1.mcap").rename(path / "e_2.mcap")),
    "parts without metadata": both(split, drop_metadata),
    "a file listed twice": lambda path: list_files(path, "e.mcap", "e.mcap"),
    "a compressed file alone": lambda path: pack(path, keep_metadata=False),
    "sqlite3 without metadata": both(lambda path: convert(path, StoragePlugin.SQLITE3), drop_metadata),
    "compressed sqlite3 without metadata": both(
        lambda path: convert(path, StoragePlugin.SQLITE3, CompressionMode.FILE), drop_metadata
    ),
    "compressed messages without metadata": both(
        lambda path: convert(path, StoragePlugin.MCAP, CompressionMode.MESSAGE), drop_metadata
    ),
    "fewer messages listed": with_topic(0, message_count=7),
    "more messages listed": with_topic(0, message_count=70),
    "messages listed of a topic that has none": with_topic(2, message_count=5),
    "a topic with messages that is not listed": without_topic(1),
    "a topic listed under another name": with_topic(1, name="/other"),
    "a topic listed with another type": with_topic(1, type="std_msgs/msg/Int64"),
    "a topic listed twice": lambda path: change_metadata(
        path, lambda m: m["topics_with_message_count"].append(m["topics_with_message_count"][0])
    ),
    "another profile": Rewrite(profile=""),
    "metadata of another program": write_metadata_text("{}"),
    "a JSON topic without messages": Rewrite(json_topic=True),
}


@pytest.mark.parametrize("change", REPAIRED.values(), ids=REPAIRED)
def test_it_is_refused_until_it_is_repaired(bag, change):
    before = raw(bag)
    change(bag)
    with pytest.raises(RepairableBagError, match=f"run: lbm episodes repair '{bag}'$") as refusal, Bag(bag):
        pass
    assert "\n" not in str(refusal.value) and needs_repair(bag)
    report = repair(bag)
    assert report.changed and report.n_messages == 40 and not report.lost_bytes
    assert raw(bag) == before
    assert not needs_repair(bag) and not repair(bag).changed
    with Reader(bag) as reader:
        assert reader.message_count == 40 == sum(1 for _ in reader.messages())


def put_folder(name: str) -> Any:
    def change(path: Path) -> None:
        (path / name).unlink()
        (path / name).mkdir()

    return change


def put_dangling_link(path: Path) -> None:
    (path / "e.mcap").unlink()
    (path / "e.mcap").symlink_to("/nowhere/e.mcap")


def cut_sqlite(path: Path) -> None:
    convert(path, StoragePlugin.SQLITE3)
    (file,) = path.glob("*.db3")
    file.write_bytes(file.read_bytes()[:1000])


def lose_part(path: Path) -> None:
    split(path)
    (path / "e_1.mcap").unlink()


def copy_without_metadata(path: Path) -> None:
    drop_metadata(path)
    for name in ("a.mcap", "b.mcap"):
        shutil.copy(path / "e.mcap", path / name)
    (path / "e.mcap").unlink()


def two_types(path: Path) -> None:
    """Two parts in which /number has another type."""
    split(path)
    shutil.move(path / "e_1.mcap", path / "other.mcap")
    file, text = path / "other.mcap", b"std_msgs/msg/Int32"
    file.write_bytes(file.read_bytes().replace(text, b"std_msgs/msg/Uint8"))
    Rewrite().write(file, path / "e_1.mcap")
    file.unlink()


REFUSED = {
    "a missing part": (lose_part, r"e_1\.mcap' is missing, and metadata\.yaml lists it: copy it there"),
    "empty definitions": (Rewrite(definition=b""), r"no definition of std_msgs/msg/\w+ \(/\w+\) is embedded"),
    "empty definitions, no metadata": (both(Rewrite(definition=b""), drop_metadata), "no definition of std"),
    "broken definitions, no metadata": (both(Rewrite(definition=b"?!"), drop_metadata), "cannot be read"),
    "no encoding of definitions": (Rewrite(encoding="", definition=b""), "no definition of std_msgs/msg/"),
    "definitions of another kind": (Rewrite(encoding="protobuf"), r"no definition of .*'protobuf'"),
    "definitions that are none": (Rewrite(definition=b"?!"), r"definition of std_msgs/msg/\w+ .* cannot be"),
    "JSON messages": (Rewrite(message_encoding="json"), r"the messages of /\w+ are 'json', not CDR.*take"),
    "a folder in the place of the file": (put_folder("e.mcap"), r"e\.mcap' is a folder; expected a file"),
    "a folder in the place of metadata": (put_folder("metadata.yaml"), r"metadata\.yaml' is a folder"),
    "a link to nowhere": (put_dangling_link, r"e\.mcap' is a link to a file that does not exist"),
    "damaged sqlite3": (cut_sqlite, r"is damaged: .*copy it again, or use sqlite3's \.recover"),
    "no file": (lambda path: (path / "e.mcap").unlink(), r"e\.mcap' is missing"),
    "nothing": (both(lambda path: (path / "e.mcap").unlink(), drop_metadata), r"holds 0 \.mcap files"),
    "one topic of two types": (two_types, "/number was recorded as .* and as .*; keep one of them"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "text"), REFUSED.values(), ids=REFUSED)
def test_it_is_refused_by_reading_and_by_repair_alike(bag, change, text):
    change(bag)
    names = sorted(file.name for file in bag.iterdir())
    with pytest.raises(BagError, match=text) as refusal, Bag(bag):
        pass
    assert not isinstance(refusal.value, RepairableBagError) and "\n" not in str(refusal.value)
    with pytest.raises(BagError, match=text):
        repair(bag)
    assert sorted(file.name for file in bag.iterdir()) == names


def test_without_the_missing_part_it_goes_on_when_asked_to(bag):
    before = raw(bag)
    lose_part(bag)
    drop_metadata(bag)
    assert repair(bag).n_messages == 20 and raw(bag) == before[:20]


def test_two_copies_are_not_taken_for_two_parts(bag):
    copy_without_metadata(bag)
    with pytest.raises(BagError, match=r"'a\.mcap' and 'b\.mcap' are of the same time.*keep one"):
        repair(bag)


def test_a_file_that_may_not_be_read_is_named():
    """By a user who is not root, whom no mode keeps out."""
    with tempfile.TemporaryDirectory() as folder:
        path = small_bag(Path(folder) / "e")
        Path(folder).chmod(0o755)
        (path / "e.mcap").chmod(0)
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)
        try:
            with pytest.raises(BagError, match=r"e\.mcap' may not be read; run: chmod"), Bag(path):
                pass
        finally:
            os.seteuid(user)


def test_what_is_lost_is_named(bag):
    change_metadata(bag, lambda m: m["topics_with_message_count"][0].update(message_count=70))
    report = repair(bag)
    assert report.missing == {"/flag": 50} and report.only_metadata
    assert "missing of what metadata.yaml listed: 50 of /flag" in str(report)


def test_facts_and_text_of_the_old_metadata_are_kept(bag):
    change_metadata(bag, lambda m: m.update(storage_identifier=""))
    repair(bag)
    with Bag(bag) as opened:
        assert opened.custom_data == {"dropped": "3", "repaired": "true", "lost_bytes": "0"}
    write_metadata_text("by: hand")(bag)
    repair(bag)
    assert (bag / "metadata.yaml.damaged").read_text() == "by: hand"


def test_only_a_damaged_part_is_written_anew(bag):
    before = raw(bag)
    split(bag)
    whole = (bag / "e_0.mcap").read_bytes()
    cut = (bag / "e_1.mcap").read_bytes()[:-900]
    (bag / "e_1.mcap").write_bytes(cut)
    report = repair(bag)
    assert (bag / "e_0.mcap").read_bytes() == whole
    after = raw(bag)
    assert after == before[: len(after)] and 20 < len(after) == report.n_messages
    assert not repair(bag).changed


def test_a_repair_keeps_what_other_tools_have_put_beside_the_messages(bag):
    Rewrite(extras=True)(bag)
    file = bag / "e.mcap"
    file.write_bytes(file.read_bytes()[:-100])
    assert repair(bag).n_messages == 40
    with file.open("rb") as stream:
        reader = make_reader(stream)
        assert [a.data for a in reader.iter_attachments()] == [b"by hand"]
        assert [(m.name, m.metadata) for m in reader.iter_metadata()] == [("rating", {"stars": "5"})]


def test_a_repair_gives_the_metadata_the_qos_of_the_file(bag):
    Rewrite(qos=QOS)(bag)
    drop_metadata(bag)
    repair(bag)
    with Reader(bag) as reader:
        offered = next(c.ext for c in reader.connections if c.topic == "/flag")
        assert isinstance(offered, ConnectionExtRosbag2)
        (profile,) = offered.offered_qos_profiles
        assert profile.reliability.name == "RELIABLE" and profile.durability.name == "VOLATILE"
        assert sum(1 for _ in reader.messages()) == 40
    assert "reliability: reliable" in (bag / "metadata.yaml").read_text()


def test_a_part_of_the_time_is_read_from_every_kind(bag):
    for change in (Rewrite(index=IndexType.CHUNK), split):
        change(bag)
        with Bag(bag) as opened:
            times = [ns for _, ns, _ in opened.raw(start_ns=START_NS + 10**8, stop_ns=START_NS + 3 * 10**8)]
        assert times == list(range(START_NS + 10**8, START_NS + 3 * 10**8, 10**7))


def test_a_whole_bag_in_a_folder_that_may_not_be_written_is_whole(bag):
    mode = bag.stat().st_mode
    bag.chmod(0o555)
    try:
        assert not repair(bag).changed
    finally:
        bag.chmod(mode)
