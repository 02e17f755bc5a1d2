"""Single bad records pass; a bad deploy stops, and a restart does not let it go on."""

import pytest

from ingest.batch import Batch, make_batch
from ingest.reject_limit import RejectLimit, RejectPolicy
from schemas.chain import Fault
from schemas.errors import RejectError, StopError
from schemas.keyring import EVERY_MAKER, Keyring, PolicyChange
from schemas.topics import FRAMES, HEALTH, LOGBOOK
from support.frames import FakeRecord, frame, record
from support.landed_logbooks import sent
from support.logbooks import short

POLICY = RejectPolicy(run=4, window=10, share=0.5)


def _batch(marks: str, first: int = 0, partition: int = 0, topic: str = FRAMES.name):
    """A batch with a bad record for every x."""
    good = record(frame()).value
    records = [
        FakeRecord(record(frame()).key, b"\xc1" if mark == "x" else good, offset=first + i, partition=partition)
        for i, mark in enumerate(marks)
    ]
    return make_batch(topic, records, {partition: first})


def _land(limit: RejectLimit, *batches) -> None:
    for batch in batches:
        limit.check(batch)
        limit.note(batch)


def test_good_records_pass():
    _land(RejectLimit(POLICY), _batch("." * 50), _batch("." * 50))


def test_a_run_stops_before_the_batch_that_completes_it():
    limit = RejectLimit(POLICY)
    _land(limit, _batch("..x"), _batch("x.xxx"))
    with pytest.raises(StopError, match=r"4 records of telemetry.frames in a row cannot be used \(undecodable"):
        limit.check(_batch("x"))
    limit.check(_batch("."))


def test_a_run_inside_one_batch_stops():
    with pytest.raises(StopError):
        RejectLimit(POLICY).check(_batch("..xxxx.."))


def test_a_good_record_ends_a_run():
    _land(RejectLimit(POLICY), *[_batch("......xxx.")] * 5)


def test_a_run_is_of_one_partition():
    limit = RejectLimit(POLICY)
    _land(limit, *[_batch("..xx", partition=p) for p in range(3)])
    _land(limit, *[_batch("x....", partition=p) for p in range(3)])


def test_too_large_a_share_of_the_window_stops_although_no_run_is_long():
    limit = RejectLimit(POLICY)
    _land(limit, _batch("xx.xx.xx"))
    with pytest.raises(StopError, match=r"9 of the last 12 records of telemetry.frames cannot be used"):
        limit.check(_batch(".xxx"))


def test_the_share_counts_only_when_the_window_is_full_and_only_what_is_recent():
    limit = RejectLimit(POLICY)
    _land(limit, _batch("xx.xx"), *[_batch("....")] * 3)
    _land(limit, _batch("x.x.x."))


def test_half_of_the_window_is_not_more_than_half():
    _land(RejectLimit(POLICY), *[_batch("x.x.x.x.x.")] * 3)


def test_topics_are_counted_apart():
    limit = RejectLimit(POLICY)
    _land(limit, _batch("xxx"))
    limit.check(_batch("x", topic=HEALTH.name))


def test_a_restart_goes_on_where_the_run_stood():
    limit = RejectLimit(RejectPolicy(run=4, window=100))
    limit.seed(FRAMES.name, {0: (100, [98, 99]), 1: (50, [46, 47, 48]), 2: (0, [])})
    limit.check(_batch("x", first=100))
    limit.check(_batch("xxx", first=50, partition=1))
    limit.check(_batch("xxx", partition=2))
    with pytest.raises(StopError, match=r"4 records of telemetry.frames in a row"):
        limit.check(_batch("xx", first=100))


def test_a_restart_goes_on_where_the_share_stood():
    limit = RejectLimit(RejectPolicy(run=8, window=10, share=0.5))
    limit.seed(FRAMES.name, {0: (100, [92, 93, 95, 96, 98, 99])})
    with pytest.raises(StopError, match="9 of the last 12"):
        limit.check(_batch("xxx.", first=100))


def test_a_rejected_batch_that_was_only_checked_does_not_count():
    limit = RejectLimit(POLICY)
    for _ in range(10):
        limit.check(_batch("xxx"))


def test_what_is_rejected_for_its_seal_neither_stops_the_lander_nor_hides_a_bad_deploy():
    keyring = Keyring(bytes(32))
    keyring.learn([PolicyChange(EVERY_MAKER, 0, "require")], [])

    def flood(first: int) -> Batch:
        return make_batch(FRAMES.name, [record(frame(), offset=first + i) for i in range(50)], {0: first}, keyring)

    limit = RejectLimit(POLICY)
    _land(limit, flood(0), _batch("..xx", 50), flood(54), _batch("x", 104), flood(105))
    with pytest.raises(StopError, match=r"4 records of telemetry.frames in a row"):
        limit.check(_batch("x", 155))


def test_nothing_that_is_sent_for_a_logbook_stops_the_lander():
    refusals = {(0, offset): RejectError(Fault.UNREGISTERED, "a stranger") for offset in range(100)}

    def entries(first: int, count: int, bad: bool = False) -> Batch:
        value = b"{" if bad else sent(short().records)[0].value
        records = [FakeRecord(b"", value, first + at) for at in range(count)]
        return make_batch(LOGBOOK.name, records, {0: first}, refusals=refusals)

    limit = RejectLimit(POLICY)
    _land(limit, entries(0, 60), entries(60, 40), entries(100, 60, bad=True))
    limit.seed(LOGBOOK.name, {0: (160, range(100))})
    _land(limit, entries(160, 60, bad=True))
