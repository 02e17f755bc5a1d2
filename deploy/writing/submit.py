"""Signed entries into their logbooks, many at a time: held against what is there, sent, and waited for.

In: lines, each some entries of one robot. Out: what became of each line. Called by the commands that write entries.
The lander appends and alone decides; what it would refuse is said here before anything is sent, and what it
refuses all the same is found by its place on the topic. An entry that is there already is not sent: a line may
come again.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

import asyncpg
import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, KafkaError

from deploy.settings import Endpoints
from deploy.topics import check as check_topics
from schemas.chain import Book, Fault, try_on
from schemas.entry import Submission, encode_submission
from schemas.errors import RejectError, UnavailableError
from schemas.kafka import Kafka
from schemas.logbook import KeyRegistered
from schemas.topics import LOGBOOK
from serve import database
from serve.logbook import Place, books_of, refusals_of

AT_ONCE = 2000
"""Entries between two waits: a second's work here, and some ms of waiting for the last of them."""
LANDED_WITHIN_S = 30.0
_LOOK_EVERY_S = 0.05


class Line(msgspec.Struct, frozen=True):
    """Some entries of one robot, all or none of which are written. `number`: where they come from."""

    number: int
    entries: tuple[Submission, ...]

    @property
    def robot_id(self) -> str:
        return self.entries[0].signed.entry.robot_id


class Done(msgspec.Struct, frozen=True):
    """`written` entries of it are new; `refused` says why none is, in place of that."""

    line: Line
    written: int
    refused: str = ""


class Desk:
    """Takes lines. `platforms`: whose seal a new logbook has. Without a producer nothing is sent, only said."""

    def __init__(
        self, connection: asyncpg.Connection, producer: AIOKafkaProducer | None, platforms: frozenset[str]
    ) -> None:
        self._connection = connection
        self._producer = producer
        self._platforms = platforms

    async def take(self, lines: Iterable[Line]) -> AsyncIterator[list[Done]]:
        """In portions, in their order. Raises UnavailableError; some of a portion may be written nevertheless."""
        remaining = iter(lines)
        while portion := _portion(remaining):
            yield await self._take(portion)

    async def _take(self, lines: Sequence[Line]) -> list[Done]:
        entries = [submission.signed.entry for line in lines for submission in line.entries]
        books = await books_of(self._connection, entries, self._platforms)
        now_us = time.time_ns() // 1000
        done, sending = [], []
        for line in lines:
            try:
                books[line.robot_id], new = tried(books[line.robot_id], line.entries, now_us)
            except RejectError as error:
                done.append(Done(line, 0, str(error)))
                continue
            done.append(Done(line, len(new)))
            sending += [(len(done) - 1, entry) for entry in new]
        if self._producer is None or not sending:
            return done
        places = await _send(self._producer, [entry for _, entry in sending])
        await landed(self._connection, places)
        found = await refusals_of(self._connection, places)
        for (position, _), place in zip(sending, places, strict=True):
            if place in found and found[place].reason != Fault.REPEATED:
                refusal = f"{found[place].reason}: {found[place].detail}"
                done[position] = Done(done[position].line, 0, refusal)
        return done


def tried(book: Book, entries: Sequence[Submission], now_us: int) -> tuple[Book, list[Submission]]:
    """The book as it would be, and which entries are new. Raises RejectError for the first that is refused."""
    book, new = msgspec.structs.replace(book, keys=dict(book.keys), kinds=dict(book.kinds)), []
    for submission in entries:
        entry = submission.signed.entry
        if entry.id in book.kinds or (isinstance(entry.what, KeyRegistered) and _is_known(book, entry.what)):
            continue
        try_on(book, submission.signed, now_us, submission.opened)
        new.append(submission)
    return book, new


def _is_known(book: Book, what: KeyRegistered) -> bool:
    key = book.keys.get(what.key)
    return key is not None and not key.revoked and key.role is what.role


def _portion(lines: Iterable[Line]) -> list[Line]:
    portion, entries = [], 0
    for line in lines:
        portion.append(line)
        entries += len(line.entries)
        if entries >= AT_ONCE:
            break
    return portion


async def _send(producer: AIOKafkaProducer, entries: Sequence[Submission]) -> list[Place]:
    try:
        sent = [
            await producer.send(
                LOGBOOK.name,
                encode_submission(submission),
                key=submission.signed.entry.robot_id.encode(),
            )
            for submission in entries
        ]
        found = [await one for one in sent]
    except KafkaError as error:
        raise UnavailableError(f"Kafka does not take the entries ({error!r}): `robovitals status`") from None
    return [(one.partition, one.offset) for one in found]


async def landed(connection: asyncpg.Connection, places: Sequence[Place]) -> None:
    """Until the lander has been there. Raises UnavailableError when it does not go on."""
    wanted = {partition: offset + 1 for partition, offset in sorted(places)}
    seen: dict[int, int] = {}
    since_s = time.monotonic()
    while True:
        offsets = await database.landed_offsets(connection, LOGBOOK.name)
        if all(offsets.get(partition, 0) >= offset for partition, offset in wanted.items()):
            return
        if offsets != seen:
            seen, since_s = offsets, time.monotonic()
        if time.monotonic() - since_s > LANDED_WITHIN_S:
            raise UnavailableError(
                "what was sent is in Kafka and not in the logbooks yet: `robovitals status`; the same again is "
                "written once"
            )
        await asyncio.sleep(_LOOK_EVERY_S)


@asynccontextmanager
async def desk(servers: Endpoints, platforms: frozenset[str], sends: bool = True) -> AsyncIterator[Desk]:
    """With connections of its own. Raises UnavailableError."""
    async with database.connected(servers.database_url) as connection:
        if not sends:
            yield Desk(connection, None, platforms)
            return
        async with _producer(servers.kafka) as producer:
            yield Desk(connection, producer, platforms)


@asynccontextmanager
async def _producer(kafka: Kafka) -> AsyncIterator[AIOKafkaProducer]:
    # Asked of an administrator's client: a producer waits for ever for a topic that is not there.
    try:
        if not next(report.partitions for report in await check_topics(kafka) if report.name == LOGBOOK.name):
            raise UnavailableError(f"topic {LOGBOOK.name} does not exist: `robovitals topics`")
        producer = AIOKafkaProducer(**kafka.client(), enable_idempotence=True, linger_ms=5)
        await producer.start()
    except KafkaConnectionError:
        raise UnavailableError(f"no Kafka answers at {kafka}: `robovitals doctor`") from None
    try:
        yield producer
    finally:
        await producer.stop()
