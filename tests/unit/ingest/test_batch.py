"""Records become a batch: content by topic, rejects with their bytes, offsets; and a batch can be halved."""

import msgspec
import pytest

from ingest.batch import (
    ActionContent,
    AnomalyContent,
    Batch,
    FrameContent,
    HealthContent,
    Span,
    VitalsContent,
    make_batch,
)
from schemas.action import encode_action
from schemas.anomaly import encode_anomaly
from schemas.frame import FLAG_BACKFILL, MAX_INTEGER, REJECT_REASONS
from schemas.health import encode_health
from schemas.robot_code import make_code
from schemas.topics import ACTIONS, ANOMALIES, FRAMES, HEALTH, VITALS
from schemas.vitals import encode_vitals
from support import messages
from support.frames import CODE, TIME_US, FakeRecord, frame, record

OTHER = make_code("ZZ", "TEST", "MODEL2", "2")
MS = TIME_US // 1000


def _frames(batch: Batch) -> FrameContent:
    assert isinstance(batch.content, FrameContent)
    return batch.content


def test_a_span_starts_where_the_last_ended_and_ends_behind_its_last_record():
    records = [record(frame(seq=i), partition=p, offset=o) for i, (p, o) in enumerate([(0, 7), (0, 9), (3, 4)])]
    batch = make_batch(FRAMES.name, records, {0: 5, 3: 4, 6: 0})
    assert batch.spans == {0: Span(5, 10, MS), 3: Span(4, 5, MS)}
    assert _frames(batch).rows.count == 3


def test_a_reject_keeps_its_place_and_its_bytes_and_its_neighbours_stay():
    bad = FakeRecord(b"\0key", b"\xc1\0", offset=6, partition=2)
    records = [record(frame(seq=0), offset=5, partition=2), bad, record(frame(seq=1), offset=7, partition=2)]
    batch = make_batch(FRAMES.name, records, {2: 5})
    (reject,) = batch.rejects
    assert (reject.topic, reject.partition, reject.offset) == (FRAMES.name, 2, 6)
    assert (reject.reason, reject.key, reject.value) == ("undecodable", b"\0key", b"\xc1\0")
    assert reject.received_us == bad.timestamp * 1000
    assert _frames(batch).rows.count == 2
    assert batch.spans == {2: Span(5, 8, MS)}


def test_a_reject_of_no_value_has_empty_bytes():
    (reject,) = make_batch(FRAMES.name, [FakeRecord(None, None)], {0: 0}).rejects
    assert (reject.key, reject.value) == (None, b"")


def test_a_detail_can_be_stored_whatever_the_robot_sent():
    value = msgspec.msgpack.encode([1, "\0" * 29, *msgspec.structs.astuple(frame())[2:]])
    (reject,) = make_batch(FRAMES.name, [FakeRecord(b"k", value)], {0: 0}).rejects
    assert reject.reason == "bad_code"
    assert "\0" not in reject.detail


def test_the_first_time_of_a_robot_is_that_of_its_first_record():
    times = [(CODE, 30), (OTHER, 5), (CODE, 10)]
    records = [record(frame(robot_id=code, time_us=us, seq=i)) for i, (code, us) in enumerate(times)]
    assert _frames(make_batch(FRAMES.name, records, {0: 0})).first_time_us == {CODE.encode(): 30, OTHER.encode(): 5}


def test_halves_land_the_same_records_one_after_the_other():
    places = [(0, 7), (0, 9), (3, 4), (3, 5)]
    records = [record(frame(seq=i), partition=p, offset=o) for i, (p, o) in enumerate(places)]
    records[2] = FakeRecord(b"", b"\xc1", offset=4, partition=3)
    one, two = make_batch(FRAMES.name, records, {0: 5, 3: 1}).halves()
    assert one.spans == {0: Span(5, 10, MS)}
    assert two.spans == {3: Span(1, 6, MS)}
    assert [*one.records, *two.records] == records
    assert [reject.offset for reject in two.rejects] == [4]
    first, second = two.halves()
    assert (first.spans, second.spans) == ({3: Span(1, 5, MS)}, {3: Span(5, 6, MS)})


def test_what_the_database_refuses_becomes_a_reject_and_nothing_else():
    batch = make_batch(FRAMES.name, [record(frame(), offset=8)], {0: 8}).refused("invalid byte sequence")
    (reject,) = batch.rejects
    assert reject.reason == "refused_by_database"
    assert reject.reason in REJECT_REASONS
    assert reject.detail == "invalid byte sequence"
    assert reject.value == batch.records[0].value
    assert batch.spans == {0: Span(8, 9, MS)}
    assert _frames(batch).rows.count == 0


def test_of_the_vitals_topic_windows_and_late_marks_are_stored():
    kinds = [messages.vitals(), messages.CROSSING, messages.LATE, messages.PULSE]
    records = [FakeRecord(b"0/3", encode_vitals(kind), offset=i) for i, kind in enumerate(kinds)]
    batch = make_batch(VITALS.name, records, {0: 0})
    assert isinstance(batch.content, VitalsContent)
    assert batch.content.rows.count == 1
    assert batch.content.late == [messages.LATE]
    assert batch.rejects == []
    assert batch.spans == {0: Span(0, 4, MS)}


def _late(**changes: object) -> bytes:
    return encode_vitals(msgspec.structs.replace(messages.LATE, **changes))


def _vitals(**changes: object) -> bytes:
    return encode_vitals(msgspec.structs.replace(messages.vitals(), **changes))


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"\xc1", "undecodable"),
        (_late(start_us=[TIME_US, TIME_US]), "values_mismatch"),
        (_late(start_us=[MAX_INTEGER + 1]), "wrong_type"),
        (_late(offset=[-1]), "wrong_type"),
        (_late(reason=[9]), "wrong_type"),
        (_vitals(start_us=2**63), "wrong_type"),
        (_vitals(start_us=-1), "wrong_type"),
        (_vitals(frames=b""), "values_mismatch"),
    ],
)
def test_a_bad_message_of_the_vitals_topic_is_rejected_alone(value: bytes, reason: str):
    records = [FakeRecord(b"0/3", v, offset=i) for i, v in enumerate([_vitals(), value, _late()])]
    batch = make_batch(VITALS.name, records, {0: 0})
    assert [(reject.offset, reject.reason) for reject in batch.rejects] == [(1, reason)]
    assert isinstance(batch.content, VitalsContent)
    assert (batch.content.rows.count, len(batch.content.late)) == (1, 1)


def test_health_anomalies_and_actions_are_decoded_and_bad_ones_rejected():
    late = msgspec.structs.replace(messages.HEALTH, time_us=MAX_INTEGER + 1)
    values = [encode_health(messages.HEALTH), b"{}", encode_health(late)]
    batch = make_batch(HEALTH.name, [FakeRecord(b"", v, offset=i) for i, v in enumerate(values)], {0: 0})
    assert batch.content == HealthContent([messages.HEALTH])
    assert [(reject.offset, reject.reason) for reject in batch.rejects] == [(1, "undecodable"), (2, "wrong_type")]

    values = [encode_anomaly(messages.ANOMALY)[0], b"[]"]
    batch = make_batch(ANOMALIES.name, [FakeRecord(b"", v, offset=i) for i, v in enumerate(values)], {0: 0})
    assert batch.content == AnomalyContent([messages.ANOMALY])
    assert [reject.offset for reject in batch.rejects] == [1]

    values = [encode_action(messages.ACTION), b"{}"]
    batch = make_batch(ACTIONS.name, [FakeRecord(b"", v, offset=i) for i, v in enumerate(values)], {0: 0})
    assert batch.content == ActionContent([messages.ACTION])
    assert [reject.offset for reject in batch.rejects] == [1]


def test_the_age_of_live_frames_does_not_follow_a_wild_clock_nor_what_comes_from_a_spool():
    times_us = [TIME_US, TIME_US + 1, TIME_US + 2, 0, 1]
    records = [record(frame(seq=i, time_us=time_us), offset=i) for i, time_us in enumerate(times_us)]
    records += [record(frame(seq=9, time_us=5, flags=FLAG_BACKFILL), offset=i) for i in range(5, 25)]
    assert _frames(make_batch(FRAMES.name, records, {0: 0})).live_time_us == TIME_US
    spooled = make_batch(FRAMES.name, records[5:], {0: 5})
    assert _frames(spooled).live_time_us == -1
