"""Entries of logbooks land once each, in the order of their chain, whatever comes twice, at once or wrong."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

import asyncpg
import msgspec
import pytest

from ingest.landing import Fenced, Judged, Landed, Landing
from schemas.book import decode_book
from schemas.chain import Fault
from schemas.logbook import MaintenanceDone, Software
from schemas.topics import LOGBOOK
from support.frames import FakeRecord
from support.landed_logbooks import batch_of, land, records_of, sent, value
from support.logbooks import (
    DAY_US,
    MAKER,
    OPERATOR,
    OTHER_ROBOT,
    OWNER,
    PLATFORM,
    PLATFORMS,
    ROBOT,
    SOLD,
    START_US,
    STRANGER,
    SWAPPED,
    WORKSHOP,
    Writer,
    begun,
    every_kind,
    short,
)


@pytest.fixture
async def books(database_url: str) -> AsyncIterator[Landing]:
    """A landing with the platform's key."""
    landing = Landing(database_url, PLATFORM)
    await landing.offsets(LOGBOOK.name, {0: 0, 1: 0})
    yield landing
    await landing.close()


async def head(database: asyncpg.Connection, robot_id: str = ROBOT) -> tuple[int, str]:
    return tuple(await database.fetchrow("SELECT entries, chain FROM logbook_head WHERE robot_id = $1", robot_id))


async def test_every_kind_of_entry_lands_as_the_platform_would_have_appended_it(
    books: Landing, database: asyncpg.Connection
):
    writer = every_kind()
    await land(books, writer.records)
    bare = [msgspec.structs.replace(record, opened=()) for record in writer.records]
    assert await records_of(database) == bare
    assert await head(database) == (writer.book.number, writer.book.chain)
    row = await database.fetchrow("SELECT * FROM logbook_entry WHERE kind = 'part_installed'")
    assert (row["author"], row["runtime_s"], row["checkpoint"]) == (
        bare[row["number"] - 1].signed.entry.author,
        None,
        None,
    )
    stored = await database.fetchval("SELECT book FROM logbook_head")
    assert decode_book(stored, PLATFORMS, writer.book.kinds) == writer.book


async def test_the_time_of_receipt_is_the_brokers_and_never_goes_back(books: Landing, database: asyncpg.Connection):
    writer = short()
    stamps_ms = [START_US // 1000 + 2 * DAY_US // 1000 + ms for ms in (0, 900, 400)]
    records = [
        FakeRecord(ROBOT.encode(), value(record), at, ms)
        for at, (record, ms) in enumerate(zip(writer.records, stamps_ms, strict=True))
    ]
    assert await books.land(batch_of(records)) == Landed(0)
    received = [record.link.received_us for record in await records_of(database)]
    assert received == [1000 * stamps_ms[0], 1000 * stamps_ms[1], 1000 * stamps_ms[1]]
    kept = await database.fetch(
        "SELECT (extract(epoch FROM received) * 1000000)::bigint FROM logbook_entry ORDER BY number"
    )
    assert [us for (us,) in kept] == received


async def test_a_repeat_is_a_duplicate_and_does_not_bring_back_what_was_erased(
    books: Landing, database: asyncpg.Connection
):
    writer = short()
    await land(books, writer.records)
    assert await database.fetchval("SELECT value FROM logbook_opened") == OWNER.value
    await database.execute("DELETE FROM logbook_opened")
    assert await books.land(batch_of(sent(writer.records, first=3))) == Landed(3)
    assert await books.land(batch_of(sent([writer.records[1]] * 2, first=6))) == Landed(2)
    assert len(await records_of(database)) == 3
    assert await database.fetchval("SELECT count(*) FROM logbook_opened") == 0
    assert await database.fetchval("SELECT count(*) FROM reject") == 0


async def test_another_entry_under_an_id_that_is_taken_is_refused(books: Landing, database: asyncpg.Connection):
    writer = begun()
    await land(books, writer.records)
    writer._signed -= 1
    again = writer.sign(SWAPPED, WORKSHOP)
    assert again.entry.id == writer.records[-1].signed.entry.id
    refused = await books.land(batch_of(sent([writer.force(again)], first=5)))
    assert isinstance(refused, Judged)
    assert [error.reason for error in refused.found.values()] == [Fault.REPEATED]
    assert len(await records_of(database)) == 5


def _wrong(writer: Writer) -> dict[str, bytes]:
    """By the reason of its refusal an entry that must not land."""

    def forced(*args: object, **kwargs: object) -> bytes:
        copy = Writer()
        copy.book, copy.now_us, copy._signed = writer.book, writer.now_us, writer._signed
        writer._signed += 1
        return value_of(copy.sign(*args, **kwargs))  # type: ignore[arg-type]

    def value_of(signed: object) -> bytes:
        link = writer.records[-1].link
        record = msgspec.structs.replace(writer.records[-1], signed=signed, link=link, opened=())
        return value(record)

    forged = forced(SWAPPED, WORKSHOP)
    return {
        Fault.FORGED: forged.replace(b"S-0042", b"S-0043"),
        Fault.UNREGISTERED: forced(SWAPPED, STRANGER),
        Fault.WRONG_ROLE: forced(SWAPPED, PLATFORM),
        Fault.BACK_DATED: forced(SWAPPED, WORKSHOP, written_us=writer.now_us - 31 * DAY_US),
        Fault.POST_DATED: forced(SWAPPED, WORKSHOP, written_us=writer.now_us + DAY_US),
        Fault.OUT_OF_PLACE: forced(writer.records[4].signed.entry.what, MAKER),
        Fault.WRONG_OPENING: value(
            msgspec.structs.replace(
                writer.records[-1],
                signed=writer.sign(SOLD),
                opened=(OWNER, OWNER.__class__(salt="00" * 16, value="Somebody else")),
            )
        ),
        "undecodable": b"{}  ",
        "wrong_type": b'{"entry":{},"signature":"00"}',
    }


async def test_what_a_logbook_does_not_take_is_a_reject_with_the_fault_and_its_neighbours_land(
    books: Landing, database: asyncpg.Connection
):
    writer = begun()
    await land(books, writer.records)
    wrong = _wrong(writer)
    good = writer.sign(SWAPPED, WORKSHOP)
    values = [*wrong.values(), value(msgspec.structs.replace(writer.records[-1], signed=good, opened=()))]
    now_ms = writer.now_us // 1000
    batch = batch_of([FakeRecord(ROBOT.encode(), v, 5 + at, now_ms) for at, v in enumerate(values)])
    judged = await books.land(batch)
    assert isinstance(judged, Judged)
    assert await database.fetchval("SELECT count(*) FROM logbook_entry") == 5, "nothing was kept"
    assert await books.land(batch.with_refusals(judged.found)) == Landed(0)
    rows = await database.fetch("SELECT record_offset, reason, value FROM reject ORDER BY record_offset")
    assert [(row["record_offset"], row["reason"]) for row in rows] == list(enumerate(wrong, 5))
    assert [row["value"] for row in rows] == list(wrong.values())
    last = (await records_of(database))[-1]
    assert (last.link.number, last.signed) == (6, good)


async def test_a_refused_first_entry_leaves_no_logbook(books: Landing, database: asyncpg.Connection):
    stranger = Writer()
    batch = batch_of(sent([stranger.force(stranger.sign(SWAPPED, STRANGER))]))
    judged = await books.land(batch)
    assert isinstance(judged, Judged)
    assert await books.land(batch.with_refusals(judged.found)) == Landed(0)
    assert await database.fetchval("SELECT count(*) FROM logbook_head") == 0


async def test_two_landers_give_no_number_twice(books: Landing, database_url: str, database: asyncpg.Connection):
    """A zombie has the same partition, somebody who keys wrongly another one: the first entry, and later ones."""
    writer = begun()
    for first, count in ((0, 0), (5, 20)):
        for n in range(count):
            writer.write(Software(name="firmware", version=f"{n}"), OPERATOR)
        other = Landing(database_url, PLATFORM)
        batch = batch_of(sent(writer.records[first:], first=first))
        attempts = await asyncio.gather(books.land(batch), other.land(batch))
        await other.close()
        assert {type(attempt) for attempt in attempts} == {Landed, Fenced}
    assert [record.link.number for record in await records_of(database)] == list(range(1, 26))
    assert await head(database) == (25, writer.book.chain)


async def test_entries_of_one_robot_on_two_partitions_make_one_chain(
    books: Landing, database_url: str, database: asyncpg.Connection
):
    writer = begun()
    await land(books, writer.records)
    other = Landing(database_url, PLATFORM)
    halves: list[list[FakeRecord]] = [[], []]
    for n in range(40):
        signed = writer.sign(MaintenanceDone(task="grease", component=f"joint/{n % 29 + 1}"), WORKSHOP)
        half = halves[n % 2]
        half.append(
            FakeRecord(ROBOT.encode(), value(msgspec.structs.replace(writer.records[0], signed=signed, opened=())),
                       5 + len(half) if n % 2 == 0 else len(half), writer.now_us // 1000, n % 2)
        )  # fmt: skip

    async def one_by_one(landing: Landing, records: list[FakeRecord]) -> None:
        for record in records:
            assert await landing.land(batch_of([record])) == Landed(0)

    await asyncio.gather(one_by_one(books, halves[0]), one_by_one(other, halves[1]))
    await other.close()
    records = await records_of(database)
    assert [record.link.number for record in records] == list(range(1, 46))
    assert all(after.link.previous == before.link.hash for before, after in pairwise(records))


async def test_robots_in_one_batch_have_each_their_own_chain(books: Landing, database: asyncpg.Connection):
    one, two = begun(), begun(OTHER_ROBOT)
    mixed = [record for pair in zip(one.records, two.records, strict=True) for record in pair]
    await land(books, mixed)
    assert await head(database) == (5, one.book.chain)
    assert await head(database, OTHER_ROBOT) == (5, two.book.chain)


async def test_an_entry_that_waited_while_a_checkpoint_was_made_is_received_after_it(
    books: Landing, database: asyncpg.Connection
):
    writer = begun()
    await land(books, writer.records)
    late_us = writer.now_us + 5 * DAY_US
    await database.execute(
        "INSERT INTO logbook_checkpoint (size, time, leaf, line)"
        " VALUES (1, to_timestamp(0) + $1::bigint * interval '1 us', '', '')",
        late_us,
    )
    await land(books, [writer.write(SWAPPED, WORKSHOP)])
    assert (await records_of(database))[-1].link.received_us == late_us + 1
