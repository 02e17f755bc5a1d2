"""What a batch makes of seals: rejects, events that a flood does not multiply, and copies known as replays."""

from datetime import date

from ingest.batch import Batch, FrameContent, make_batch
from ingest.sealed import REPLAY_AFTER_US, UNKNOWN, SealedRows, Stored, replayed
from schemas.keyring import EVERY_MAKER, Keyring, PolicyChange
from schemas.robot_code import make_code
from schemas.seal import derive_key
from schemas.topics import FRAMES
from support.frames import CODE, TIME_US, FakeRecord, frame, record, sealed

MASTER = bytes(32)
KEY = derive_key(MASTER, CODE, 1)
OTHER = make_code("ZZ", "TEST", "MODEL1", "2")
LATE_MS = (TIME_US + REPLAY_AFTER_US) // 1000 + 1


def _batch(records: list[FakeRecord], policy: str = "require", firsts: dict[int, int] | None = None) -> Batch:
    keyring = Keyring(MASTER)
    keyring.learn([PolicyChange(EVERY_MAKER, 0, policy)], [])
    return make_batch(FRAMES.name, records, firsts or {0: 0}, keyring)


def _content(batch: Batch) -> FrameContent:
    assert isinstance(batch.content, FrameContent)
    return batch.content


def _sealed_rows(batch: Batch) -> SealedRows:
    rows = _content(batch).sealed
    assert rows is not None
    return rows


def test_what_is_refused_is_not_even_decoded_and_keeps_its_bytes_and_its_seal():
    unsealed = FakeRecord(CODE.encode(), b"\xc1", offset=1)
    wrong = sealed(frame(), bytes(32), offset=2)
    batch = _batch([sealed(frame(), KEY), unsealed, wrong, FakeRecord(b"no code", b"\xc1", offset=3)])
    assert [(r.offset, r.reason) for r in batch.rejects] == [
        (1, "seal_missing"),
        (2, "seal_wrong"),
        (3, "undecodable"),
    ]
    assert [r.value for r in batch.rejects] == [b"\xc1", wrong.value, b"\xc1"]
    assert [r.seal for r in batch.rejects] == [None, wrong.headers[0][1], None]
    assert _content(batch).rows.count == 1


def test_events_are_of_a_day_a_robot_a_fault_and_a_partition_however_many_records():
    records = [record(frame(), offset=i) for i in range(500)]
    records += [record(frame(robot_id=OTHER), offset=500, partition=1), sealed(frame(), bytes(32), offset=501)]
    records += [record(frame(), offset=502, timestamp=TIME_US // 1000 + 86_400_000)]
    events = _content(_batch(records, firsts={0: 0, 1: 0})).events
    found = {(e.day, e.robot_id, e.reason, e.partition): (e.records, e.first_offset, e.last_offset) for e in events}
    day = date(2025, 10, 9)
    assert found == {
        (day, CODE, "seal_missing", 0): (500, 0, 499),
        (day, OTHER, "seal_missing", 1): (1, 500, 500),
        (day, CODE, "seal_wrong", 0): (1, 501, 501),
        (date(2025, 10, 10), CODE, "seal_missing", 0): (1, 502, 502),
    }
    assert all(e.refused for e in events)


def test_what_only_looks_like_a_code_is_nobodys():
    key = b"ZZTEST" + bytes(22) + b"\xff"
    (event,) = _content(_batch([FakeRecord(key, b"x")])).events
    assert event.robot_id == UNKNOWN


def test_under_warn_the_frame_lands_and_the_event_says_so():
    batch = _batch([record(frame(seq=0)), sealed(frame(seq=1), KEY, offset=1)], "warn")
    assert batch.rejects == []
    assert _content(batch).rows.count == 2
    (event,) = _content(batch).events
    assert (event.reason, event.refused) == ("seal_missing", False)


def test_the_rows_with_a_good_seal_are_found_beside_rejects_of_every_kind():
    records = [
        record(frame()),
        sealed(frame(seq=1), KEY, offset=1),
        sealed(frame(robot_id=OTHER, layout="nonsense"), derive_key(MASTER, OTHER, 2), 2, offset=2),
        sealed(frame(robot_id=OTHER, seq=3), derive_key(MASTER, OTHER, 3), 3, offset=3),
    ]
    rows = _sealed_rows(_batch(records))
    assert rows.position.tolist() == [1, 3]
    assert rows.seq.tolist() == [1, 3]
    assert rows.versions == {CODE.encode(): 1, OTHER.encode(): 3}


def test_a_copy_long_after_the_original_landed_is_a_replay_unless_it_was_sealed_anew():
    records = [
        sealed(frame(seq=0), KEY, sealed_us=TIME_US, timestamp=LATE_MS, offset=0),
        sealed(frame(seq=1), KEY, sealed_us=TIME_US + 1, timestamp=LATE_MS, offset=1),  # after it was received
        sealed(frame(seq=2), KEY, sealed_us=TIME_US, timestamp=LATE_MS - 1, offset=2),  # not so long after
        sealed(frame(seq=3), KEY, sealed_us=TIME_US, timestamp=LATE_MS, offset=3),  # no row of it
        sealed(frame(seq=0), KEY, sealed_us=TIME_US, timestamp=LATE_MS, offset=4),
    ]
    stored = [Stored(CODE, TIME_US, seq, 7, TIME_US) for seq in (0, 1, 2)]
    found = replayed(_sealed_rows(_batch(records)), stored, records)
    assert set(found) == {(0, 0), (0, 4)}


def test_known_replays_are_rejects_of_their_own_and_halves_know_them():
    records = [sealed(frame(seq=i), KEY, offset=i) for i in range(4)]
    batch = _batch(records).with_replays({(0, 1): "a copy"}).with_replays({(0, 3): "a copy"})
    assert [(r.offset, r.reason, r.detail) for r in batch.rejects] == [
        (1, "seal_replayed", "a copy"), (3, "seal_replayed", "a copy"),
    ]  # fmt: skip
    assert _content(batch).rows.count == 2
    assert [[r.offset for r in half.rejects] for half in batch.halves()] == [[1], [3]]
    noted = _batch(records, "warn").with_replays({(0, 1): "a copy"})
    assert noted.rejects == []
    assert [(e.reason, e.refused) for e in _content(noted).events] == [("seal_replayed", False)]
