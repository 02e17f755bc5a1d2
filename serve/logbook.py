"""Logbooks as the database has them: where each stands, what became of what was sent, what one says.

In: an asyncpg connection, codes, places on the topic. Out: `Book`s, numbers, refusals, records. Called by the API,
the page, and the commands that write or show entries.
"""

from collections.abc import Iterable, Mapping, Sequence

import asyncpg
import msgspec

from schemas.book import asked_ids, decode_book
from schemas.chain import Book
from schemas.entry import Entry, Record, readable
from schemas.logbook import Opened
from schemas.topics import LOGBOOK
from serve.database import ask

Place = tuple[int, int]
"""Partition and offset."""


class Refusal(msgspec.Struct, frozen=True):
    """Why the lander did not append it. `reason` is a word of `schemas.chain.Fault`, or a reason of a reject."""

    reason: str
    detail: str


async def books_of(
    connection: asyncpg.Connection, entries: Iterable[Entry], platforms: frozenset[str]
) -> dict[str, Book]:
    """By robot what these entries can be judged by as the next ones. `platforms`: the platform's keys."""
    asked = {(entry.robot_id, entry_id) for entry in entries for entry_id in asked_ids(entry)}
    codes = sorted({code for code, _ in asked})
    kinds: dict[str, dict[str, str]] = {code: {} for code in codes}
    for row in await ask(connection, "logbook_kinds", *map(list, zip(*asked, strict=True))):
        kinds[row["robot_id"]][row["entry_id"]] = row["kind"]
    books = {code: Book(robot_id=code, platforms=platforms) for code in codes}
    for row in await ask(connection, "logbook_books", codes):
        books[row["robot_id"]] = decode_book(row["book"], platforms, kinds[row["robot_id"]])
    return books


async def numbers_of(connection: asyncpg.Connection, code: str, ids: Iterable[str]) -> dict[str, int]:
    """By their ids the numbers of a robot's entries; those that are not there are left out."""
    rows = await ask(connection, "logbook_numbers", code, list(ids))
    return {row["entry_id"]: row["number"] for row in rows}


async def refusals_of(connection: asyncpg.Connection, places: Sequence[Place]) -> Mapping[Place, Refusal]:
    """Of what was sent to these places, and is landed, what was refused."""
    partitions, offsets = [partition for partition, _ in places], [offset for _, offset in places]
    rows = await ask(connection, "logbook_refusals", LOGBOOK.name, partitions, offsets)
    return {(row["partition"], row["record_offset"]): Refusal(row["reason"], row["detail"]) for row in rows}


async def records_of(connection: asyncpg.Connection, code: str) -> list[Record]:
    """All of one robot that can be read, in the order of their numbers, without what stands behind their
    commitments.
    """
    return readable(row["record"] for row in await ask(connection, "logbook_records", code))[0]


async def opened_of(connection: asyncpg.Connection, code: str) -> list[Opened]:
    """What stands behind the commitments of one robot's entries, and was not erased."""
    return [Opened(salt=row["salt"], value=row["value"]) for row in await ask(connection, "logbook_opened", code)]


async def entry_ids(connection: asyncpg.Connection, code: str, text: str) -> list[str]:
    """Of a robot's entries with this number, or an id that begins so."""
    return [row["entry_id"] for row in await ask(connection, "logbook_ids", code, text)]
