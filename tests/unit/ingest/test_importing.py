"""An import that is interrupted, wherever, and what it sends when it goes on."""

from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest
from rosbags.rosbag2 import StoragePlugin

from ingest import importing
from ingest.bags import messages
from ingest.importing import Bookmark, Standing, import_sessions
from ingest.mapping_file import load_mapping
from ingest.replay import Sent
from ingest.sessions import find_sessions
from schemas.errors import RetryError
from schemas.frame import FLAG_BACKFILL, Frame
from support.bags import Walk, mapping_for, write_ros1, write_rosbag2
from support.recorded import recording


@dataclass
class FakeKafka:
    """Acknowledges at a flush only, and breaks when it has been given `breaks_at` frames."""

    breaks_at: int
    acknowledged: list[Frame] = field(default_factory=list)
    pending: list[Frame] = field(default_factory=list)

    async def send(self, frame: Frame) -> None:
        if len(self.acknowledged) + len(self.pending) >= self.breaks_at:
            raise RetryError("gone")
        self.pending.append(msgspec.structs.replace(frame))

    async def flush(self) -> None:
        self.acknowledged += self.pending
        self.pending = []


async def _import(path: Path, mapping: str, home: Path, kafka: FakeKafka) -> Sent:
    loaded = load_mapping(mapping)
    sessions = find_sessions(loaded, path)
    bookmark = Bookmark(home, loaded, sessions, "127.0.0.1:9092")
    return await import_sessions(loaded, sessions, kafka, bookmark, lambda sent, session: None)


def _bag(directory: Path, kind: str) -> Path:
    walk = Walk(seconds=30, joint_hz=20)
    if kind == "ros1":
        return write_ros1(directory / "walk.bag", walk)
    return write_rosbag2(directory / "walk", walk, StoragePlugin.MCAP if kind == "mcap" else StoragePlugin.SQLITE3)


@pytest.mark.parametrize("kind", ["mcap", "sqlite3", "ros1"])
@pytest.mark.parametrize("rate_hz", [0, 5])
@pytest.mark.parametrize("breaks_at", [40, 100, 141])
async def test_an_interrupted_import_goes_on_and_all_frames_are_there_with_the_same_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, rate_hz: float, breaks_at: int
) -> None:
    monkeypatch.setattr(messages, "SUMMARIES_A_MARK", 10)
    monkeypatch.setattr(importing, "FRAMES_A_SAVE", 20)
    file = _bag(tmp_path, kind)
    mapping = str(mapping_for(file.parent, f"*{file.suffix}", rate_hz))
    undisturbed = FakeKafka(10**9)
    await _import(file.parent, mapping, tmp_path / "other", undisturbed)

    broken, again = FakeKafka(breaks_at), FakeKafka(10**9)
    with pytest.raises(RetryError):
        await _import(file.parent, mapping, tmp_path / "home", broken)
    sent = await _import(file.parent, mapping, tmp_path / "home", again)
    assert 0 < sent.account.frames < len(undisturbed.acknowledged), "it did not begin anew"
    assert kind == "sqlite3" or sent.account.read_bytes <= file.stat().st_size
    by_seq = {frame.seq: frame for frame in [*broken.acknowledged, *again.acknowledged]}
    assert by_seq == {frame.seq: frame for frame in undisturbed.acknowledged}
    assert all(frame.flags == FLAG_BACKFILL for frame in by_seq.values())
    assert not list((tmp_path / "home" / "imports").iterdir()), "what is done leaves no bookmark"


async def test_a_table_goes_on_too_and_sessions_that_are_done_are_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "FRAMES_A_SAVE", 20)
    broken, again, whole = FakeKafka(350), FakeKafka(10**9), FakeKafka(10**9)
    await _import(recording("battery_nasa"), "battery_nasa", tmp_path / "other", whole)
    with pytest.raises(RetryError):
        await _import(recording("battery_nasa"), "battery_nasa", tmp_path, broken)
    sent = await _import(recording("battery_nasa"), "battery_nasa", tmp_path, again)
    assert sent.account.frames == len(again.acknowledged) < len(whole.acknowledged) - 300
    found = {(f.robot_id, f.boot_id, f.seq): f for f in [*broken.acknowledged, *again.acknowledged]}
    assert found == {(f.robot_id, f.boot_id, f.seq): f for f in whole.acknowledged}


def test_a_bookmark_is_of_one_mapping_one_content_and_one_kafka(tmp_path: Path) -> None:
    file = _bag(tmp_path, "mcap")
    paths = set()
    for rate_hz, bootstrap in ((5, "a:1"), (5, "b:1"), (1, "a:1"), (5, "a:1")):
        mapping = load_mapping(str(mapping_for(file.parent, "*.mcap", rate_hz)))
        paths.add(Bookmark(tmp_path, mapping, find_sessions(mapping, file.parent), bootstrap).path)
    assert len(paths) == 3


def test_a_bookmark_that_cannot_be_read_is_as_none(tmp_path: Path) -> None:
    file = _bag(tmp_path, "mcap")
    mapping = load_mapping(str(mapping_for(file.parent, "*.mcap", 5)))
    bookmark = Bookmark(tmp_path, mapping, find_sessions(mapping, file.parent), "a:1")
    bookmark.save(Standing(done=["x"]))
    assert bookmark.read().done == ["x"]
    bookmark.path.write_bytes(b'{"done": [')
    assert bookmark.read() == Standing()
