"""What a logbook says now stands in `passport` and `installed_part` as soon as its entry does."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from ingest.landing import Landed, Landing
from schemas.history import fold
from schemas.logbook import Correction, PartInstalled, PartRemoved, RecallDone, Recalled, Scrapped
from schemas.topics import LOGBOOK
from support.landed_logbooks import batch_of, land, sent
from support.logbooks import (
    MAKER,
    OTHER_ROBOT,
    PLATFORM,
    REGISTERED,
    ROBOT,
    START_US,
    SWAPPED,
    WORKSHOP,
    begun,
    every_kind,
)

LATER = PartInstalled(component="joint/3", part="A-17", serial="S-0043")
PASSPORT = """
SELECT maker, model, level, joints, (extract(epoch FROM made) * 1000000)::bigint,
    (extract(epoch FROM registered) * 1000000)::bigint, status, (extract(epoch FROM status_since) * 1000000)::bigint
FROM passport WHERE robot_id = $1"""
PARTS = """
SELECT component, serial, part, (extract(epoch FROM installed) * 1000000)::bigint FROM installed_part
WHERE robot_id = $1 ORDER BY component"""


@pytest.fixture
async def books(database_url: str) -> AsyncIterator[Landing]:
    landing = Landing(database_url, PLATFORM)
    await landing.offsets(LOGBOOK.name, {0: 0})
    yield landing
    await landing.close()


async def passport(database: asyncpg.Connection, robot_id: str = ROBOT) -> tuple | None:
    row = await database.fetchrow(PASSPORT, robot_id)
    return None if row is None else tuple(row)


async def parts(database: asyncpg.Connection, robot_id: str = ROBOT) -> list[tuple]:
    return [tuple(row) for row in await database.fetch(PARTS, robot_id)]


async def test_a_robot_is_in_the_registry_from_the_entry_that_registers_it(
    books: Landing, database: asyncpg.Connection
):
    await land(books, begun().records)
    registered_us = next(r.signed.entry.happened_us for r in begun().records if r.signed.entry.what == REGISTERED)
    assert await passport(database) == (
        "Test AG", "MODEL1", "L2", 29, START_US, registered_us, "active", registered_us,
    )  # fmt: skip
    assert await parts(database) == []
    assert await passport(database, OTHER_ROBOT) is None


async def test_one_entry_a_batch_gives_what_all_in_one_give(books: Landing, database: asyncpg.Connection):
    writer = every_kind()
    for at, record in enumerate(sent(writer.records)):
        assert await books.land(batch_of([record], at)) == Landed(0)
    history = fold(ROBOT, writer.records)
    assert (await passport(database))[6] == history.status
    assert await parts(database) == sorted(
        (part.component, part.serial, part.part, part.installed_us)
        for part in history.parts
        if part.removed_us is None
    )


async def test_a_late_entry_about_an_earlier_part_does_not_hide_the_one_that_is_there(
    books: Landing, database: asyncpg.Connection
):
    writer = begun()
    newer = writer.write(LATER, WORKSHOP)
    writer.write(SWAPPED, WORKSHOP, happened_us=newer.signed.entry.happened_us - 1)
    for at, record in enumerate(sent(writer.records)):
        await books.land(batch_of([record], at))
    assert [row[:2] for row in await parts(database)] == [("joint/3", "S-0043")]


async def test_a_part_that_is_out_and_one_that_was_taken_back_are_not_there(
    books: Landing, database: asyncpg.Connection
):
    writer = begun()
    first = writer.write(SWAPPED, WORKSHOP)
    writer.write(PartRemoved(component="joint/3", serial="S-0042"), WORKSHOP)
    wrong = writer.write(PartInstalled(component="battery", part="B", serial="B-1"), WORKSHOP)
    await land(books, writer.records)
    assert [row[:2] for row in await parts(database)] == [("battery", "B-1")]
    before = len(writer.records)
    writer.write(Correction(corrects=wrong.signed.entry.id, reason="another robot"), WORKSHOP)
    writer.write(Correction(corrects=first.signed.entry.id, reason="no", instead=wrong.signed.entry.id), WORKSHOP)
    await books.land(batch_of(sent(writer.records[before:], before)))
    assert await parts(database) == []


async def test_a_recall_holds_until_it_is_done_and_scrapping_for_ever(books: Landing, database: asyncpg.Connection):
    writer = begun()
    statuses = []
    for at, (what, by) in enumerate(
        [(Recalled(campaign="C", reason="x"), MAKER), (RecallDone(campaign="C"), WORKSHOP),
         (Recalled(campaign="D", reason="y"), MAKER), (Scrapped(reason="fire"), MAKER)]
    ):  # fmt: skip
        if at == 0:
            await land(books, writer.records)
        record = writer.write(what, by)
        await books.land(batch_of(sent([record], len(writer.records) - 1)))
        statuses.append((await passport(database))[6:])
    happened = [writer.records[-4 + at].signed.entry.happened_us for at in range(4)]
    registered_us = (await passport(database))[5]
    assert statuses == [
        ("recalled", happened[0]), ("active", registered_us), ("recalled", happened[2]), ("scrapped", happened[3]),
    ]  # fmt: skip


async def test_a_registration_that_was_taken_back_is_none(books: Landing, database: asyncpg.Connection):
    writer = begun()
    registered = next(r for r in writer.records if r.signed.entry.what == REGISTERED)
    writer.write(SWAPPED, WORKSHOP)
    writer.write(Correction(corrects=registered.signed.entry.id, reason="never built"), MAKER)
    await land(books, writer.records)
    assert await passport(database) is None


async def test_two_robots_of_one_batch_are_kept_apart(books: Landing, database: asyncpg.Connection):
    one, two = begun(), begun(OTHER_ROBOT)
    one.write(SWAPPED, WORKSHOP)
    two.write(LATER, WORKSHOP)
    mixed = [record for pair in zip(one.records, two.records, strict=True) for record in pair]
    await land(books, mixed)
    assert [row[1] for row in await parts(database)] == ["S-0042"]
    assert [row[1] for row in await parts(database, OTHER_ROBOT)] == ["S-0043"]
