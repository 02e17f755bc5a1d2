"""The writer lands in order, waits for a server that is out, halves what is refused, and drops what was fenced."""

import asyncio
from collections.abc import Sequence
from contextlib import asynccontextmanager

import pytest
from aiokafka import TopicPartition
from prometheus_client import CollectorRegistry

import ingest.writer
from ingest.batch import Batch, make_batch
from ingest.land_metrics import LandMetrics
from ingest.landing import Attempt, Fenced, Judged, Landed, Refused, Replayed, TooMuch
from ingest.progress import Progress
from ingest.reject_limit import RejectLimit, RejectPolicy
from ingest.writer import Writer
from schemas.chain import Fault
from schemas.errors import RejectError, RetryError, StopError
from schemas.keyring import EVERY_MAKER, Keyring, PolicyChange
from schemas.reject import Reject
from schemas.seal import derive_key
from schemas.topics import FRAMES, HEALTH, LOGBOOK
from support.frames import CODE, FakeRecord, frame, record, sealed
from support.landed_logbooks import batch_of, sent
from support.logbooks import short


class Database:
    """Answers each attempt by the next of `answers`, then lands everything. `gate` holds attempts up."""

    def __init__(self, *answers: Attempt | Exception) -> None:
        self.answers = list(answers)
        self.attempts: list[list[int]] = []
        self.rejected: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.reached = asyncio.Event()

    async def land(self, batch: Batch) -> Attempt:
        self.attempts.append([r.offset for r in batch.records])
        self.reached.set()
        await self.gate.wait()
        answer = self.answers.pop(0) if self.answers else Landed(0)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, Landed):
            self.rejected += [reject.reason for reject in batch.rejects]
        return answer


class Topic:
    def __init__(self, *answers: Exception) -> None:
        self.answers = list(answers)
        self.published: list[int] = []

    async def publish(self, rejects: Sequence[Reject]) -> None:
        if self.answers:
            raise self.answers.pop(0)
        self.published += [reject.offset for reject in rejects]


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ingest.writer, "FIRST_BACKOFF_S", 0.0)


def _batch(first: int, count: int = 1, topic: str = FRAMES.name, bad: Sequence[int] = ()) -> Batch:
    value, key = record(frame()).value, record(frame()).key
    records = [FakeRecord(key, b"\xc1" if at in bad else value, offset=at) for at in range(first, first + count)]
    return make_batch(topic, records, {0: first})


class Bench:
    """A writer with its fakes and metrics."""

    def __init__(self, database: Database, topic: Topic, policy: RejectPolicy) -> None:
        self.registry = CollectorRegistry()
        metrics = LandMetrics.create(self.registry)
        self.writer = Writer(database, topic, RejectLimit(policy), metrics, Progress(0))
        self.database, self.topic = database, topic

    def metric(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"robovitals_land_{name}", labels)

    async def done(self) -> None:
        await self.writer.ended(timeout_s=10)
        self.writer.check()


@asynccontextmanager
async def _bench(*answers: Attempt | Exception, topic: Topic | None = None, policy: RejectPolicy | None = None):
    bench = Bench(Database(*answers), topic or Topic(), policy or RejectPolicy())
    yield bench
    await bench.writer.stop(timeout_s=0)


async def test_batches_land_in_their_order():
    async with _bench() as bench:
        for first in (0, 3, 6):
            bench.writer.submit(_batch(first, 3))
        assert bench.writer.waiting == 3
        await bench.done()
        assert bench.database.attempts == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
        assert bench.writer.waiting == 0
        assert bench.writer.landed == {TopicPartition(FRAMES.name, 0): 9}
        assert bench.metric("records_total", topic=FRAMES.name) == 9


async def test_a_server_that_is_out_is_tried_again_and_nothing_is_rejected():
    async with _bench(RetryError("no"), RetryError("no"), Landed(1)) as bench:
        bench.writer.submit(_batch(0))
        await bench.done()
        assert bench.database.attempts == [[0], [0], [0]]
        assert bench.database.rejected == []
        assert bench.writer.outage is None
        assert bench.metric("retries_total") == 2
        assert bench.metric("duplicates_total", topic=FRAMES.name) == 1


async def test_while_it_is_out_the_writer_says_why():
    async with _bench(RetryError("connection refused")) as bench:
        bench.writer.submit(_batch(0))
        await bench.database.reached.wait()
        bench.database.reached.clear()
        bench.database.gate.clear()
        await bench.database.reached.wait()
        assert bench.writer.outage == "connection refused"


async def test_what_is_refused_is_halved_until_one_record_stands_alone():
    refused = Refused("invalid byte sequence")
    # 0-3 refused; 0-1 lands; 2-3 refused; 2 refused alone, lands as a reject; 3 lands.
    async with _bench(refused, Landed(0), refused, refused, Landed(0), Landed(0)) as bench:
        bench.writer.submit(_batch(0, 4))
        bench.writer.submit(_batch(4))
        await bench.done()
        assert bench.database.attempts == [[0, 1, 2, 3], [0, 1], [2, 3], [2], [2], [3], [4]]
        assert bench.database.rejected == ["refused_by_database"]
        assert bench.topic.published == [2]
        assert bench.metric("rejects_total", topic=FRAMES.name, reason="refused_by_database") == 1


async def test_too_much_at_once_is_halved_and_alone_it_is_tried_again():
    async with _bench(TooMuch("out of shared memory"), TooMuch("again"), Landed(0), Landed(0)) as bench:
        bench.writer.submit(_batch(0, 2))
        await bench.done()
        assert bench.database.attempts == [[0, 1], [0], [0], [1]]
        assert bench.database.rejected == []


async def test_replays_are_landed_in_their_batchs_turn_as_rejects_that_the_topic_has_before():
    keyring = Keyring(bytes(32))
    keyring.learn([PolicyChange(EVERY_MAKER, 0, "require")], [])
    key = derive_key(bytes(32), CODE, 1)
    records = [sealed(frame(seq=i), key, offset=i) for i in range(3)]
    async with _bench(Replayed({(0, 1): "a copy"})) as bench:
        bench.writer.submit(make_batch(FRAMES.name, records, {0: 0}, keyring))
        bench.writer.submit(_batch(3))
        await bench.done()
        assert bench.database.attempts == [[0, 1, 2], [0, 1, 2], [3]]
        assert bench.database.rejected == ["seal_replayed"]
        assert bench.topic.published == [1]
        assert bench.metric("seal_faults_total", reason="seal_replayed", policy="require") == 1


async def test_an_entry_that_a_logbook_does_not_take_is_published_and_landed_as_a_reject():
    refused = Judged({(0, 1): RejectError(Fault.FORGED, "by somebody else")})
    async with _bench(refused) as bench:
        bench.writer.submit(batch_of(sent(short().records)))
        await bench.done()
        assert bench.database.attempts == [[0, 1, 2], [0, 1, 2]]
        assert bench.database.rejected == [Fault.FORGED]
        assert bench.topic.published == [1]
        assert bench.metric("rejects_total", topic=LOGBOOK.name, reason=Fault.FORGED) == 1
        assert bench.metric("logbook_entries_total") == 2


async def test_a_fenced_topic_is_dropped_and_the_others_stay():
    async with _bench(Fenced()) as bench:
        for batch in (_batch(0), _batch(1), _batch(5, topic=HEALTH.name), _batch(2)):
            bench.writer.submit(batch)
        await bench.done()
        assert bench.writer.fenced == {FRAMES.name}
        assert bench.database.attempts == [[0], [5]]
        assert bench.metric("fenced_total") == 1


async def test_rejects_are_published_before_the_batch_lands_and_once():
    async with _bench(RetryError("no"), topic=Topic(RetryError("no broker"))) as bench:
        bench.writer.submit(_batch(0, 3, bad=[1]))
        await bench.done()
        assert bench.topic.published == [1]
        assert bench.database.attempts == [[0, 1, 2], [0, 1, 2]]
        assert bench.database.rejected == ["undecodable"]


async def test_over_the_limit_nothing_is_published_and_nothing_lands():
    async with _bench(policy=RejectPolicy(run=2)) as bench:
        bench.writer.submit(_batch(0, 3, bad=[1, 2]))
        with pytest.raises(StopError, match=r"2 records of telemetry.frames in a row"):
            await bench.done()
        assert bench.topic.published == []
        assert bench.database.attempts == []


async def test_dropping_lets_the_batch_that_is_being_written_end_and_forgets_the_rest():
    async with _bench() as bench:
        bench.database.gate.clear()
        bench.writer.submit(_batch(0))
        bench.writer.submit(_batch(1))
        await bench.database.reached.wait()
        dropping = asyncio.create_task(bench.writer.drop(timeout_s=10))
        await asyncio.sleep(0)
        bench.database.gate.set()
        await dropping
        assert bench.database.attempts == [[0]]
        assert bench.writer.landed == {TopicPartition(FRAMES.name, 0): 1}


async def test_dropping_ends_the_waiting_for_a_server_that_is_out(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ingest.writer, "FIRST_BACKOFF_S", 3600.0)
    async with _bench(RetryError("no")) as bench:
        bench.writer.submit(_batch(0))
        await bench.database.reached.wait()
        await bench.writer.drop(timeout_s=10)
        bench.writer.check()
        assert bench.writer.waiting == 0
        bench.writer.submit(_batch(7))
        await bench.done()
        assert bench.database.attempts == [[0], [7]]


async def test_dropping_forgets_the_outage_and_begins_the_backoff_anew(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ingest.writer, "FIRST_BACKOFF_S", 3600.0)
    monkeypatch.setattr(ingest.writer, "LONGEST_BACKOFF_S", 7200.0)
    async with _bench(RetryError("no"), RetryError("no")) as bench:
        for first in (0, 7):
            bench.database.reached.clear()
            bench.writer.submit(_batch(first))
            await bench.database.reached.wait()
            assert bench.writer.outage == "no"
            await bench.writer.drop(timeout_s=10)
            assert bench.writer.outage is None
            assert bench.writer._backoff_s == 3600.0


async def test_a_batch_that_was_dropped_while_it_failed_is_not_waited_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ingest.writer, "FIRST_BACKOFF_S", 3600.0)
    async with _bench(RetryError("no")) as bench:
        bench.database.gate.clear()
        bench.writer.submit(_batch(0))
        await bench.database.reached.wait()
        dropping = asyncio.create_task(bench.writer.drop(timeout_s=10))
        await asyncio.sleep(0)
        bench.database.gate.set()
        await dropping
        bench.writer.submit(_batch(7))
        await bench.done()
        assert bench.database.attempts == [[0], [7]]


async def test_what_waiting_will_not_help_ends_the_writer():
    async with _bench(StopError("password wrong")) as bench:
        bench.writer.submit(_batch(0))
        with pytest.raises(StopError, match="password wrong"):
            await bench.done()
