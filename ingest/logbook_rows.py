"""Appending to logbooks, in SQL. Every statement here runs inside the transaction of a batch.

In: an open transaction and what authors sent. Out: entries, what they open, and how far each logbook goes; or what
is refused. Called by `ingest/landing.py`.

Whoever appends holds the rows of those logbooks, so two landers never give one number twice; a logbook that is new
has no row, and there the second one fails on the first entry's key and begins again. Whoever makes a checkpoint
holds all of them (`CHECKPOINT_LOCK`): an entry is in it, or was received after it.
"""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TypeAlias

import asyncpg
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ingest.appending import Appended, EntryPlace, Sent, append_all
from ingest.parameters import transposed
from ingest.passport_rows import project
from schemas.book import asked_ids, decode_book, encode_book
from schemas.chain import Book
from schemas.checkpoint import CHECKPOINT_LOCK
from schemas.entry import Record, decode_record, encode_record
from schemas.errors import RejectError
from schemas.logbook import kind_name
from schemas.signing import Hash, public_key

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

_SHARE = "SELECT pg_advisory_xact_lock_shared($1)"

_CHECKPOINT_US = """
SELECT (extract(epoch FROM time) * 1000000)::bigint FROM logbook_checkpoint ORDER BY size DESC LIMIT 1"""

_HEADS = "SELECT robot_id, book FROM logbook_head WHERE robot_id = ANY ($1::text[]) ORDER BY robot_id FOR UPDATE"

_KNOWN = """
SELECT robot_id, entry_id, kind, record
FROM unnest($1::text[], $2::text[]) AS asked (robot_id, entry_id) JOIN logbook_entry USING (robot_id, entry_id)"""

_ADD_ENTRIES = """
INSERT INTO logbook_entry (robot_id, number, entry_id, kind, author, happened, written, received, runtime_s,
                           record)
SELECT robot_id, number, entry_id, kind, author, to_timestamp(0) + happened_us * interval '1 us',
    to_timestamp(0) + written_us * interval '1 us', to_timestamp(0) + received_us * interval '1 us', runtime_s,
    record
FROM unnest($1::text[], $2::integer[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[],
            $9::bigint[], $10::bytea[])
    AS new (robot_id, number, entry_id, kind, author, happened_us, written_us, received_us, runtime_s, record)"""

_ADD_OPENED = """
INSERT INTO logbook_opened (robot_id, number, commitment, salt, value)
SELECT * FROM unnest($1::text[], $2::integer[], $3::text[], $4::text[], $5::text[])
ON CONFLICT DO NOTHING"""

_SET_HEADS = """
INSERT INTO logbook_head (robot_id, entries, chain, received, book)
SELECT robot_id, entries, chain, to_timestamp(0) + received_us * interval '1 us', book
FROM unnest($1::text[], $2::integer[], $3::text[], $4::bigint[], $5::bytea[])
    AS new (robot_id, entries, chain, received_us, book)
ON CONFLICT (robot_id) DO UPDATE
SET entries = excluded.entries, chain = excluded.chain, received = excluded.received, book = excluded.book"""


async def append_entries(
    connection: Connection, sent: Sequence[Sent], private: Ed25519PrivateKey, now_us: int
) -> Appended:
    """Judge and append them. Where something is refused nothing is written."""
    await connection.execute(_SHARE, CHECKPOINT_LOCK)
    # Asked behind the lock: a checkpoint that was being made is there now.
    checkpoint_us = await connection.fetchval(_CHECKPOINT_US)
    books, known = await _books(connection, sent, private)
    floor_us = 0 if checkpoint_us is None else checkpoint_us + 1
    # A signature is checked and another made for each: not while the loop has to keep its membership.
    done = await asyncio.to_thread(append_all, sent, books, known, floor_us, now_us, private)
    if done.records and not done.refused:
        changed = {record.signed.entry.robot_id for record in done.records}
        await _add(connection, done.records, [books[robot_id] for robot_id in sorted(changed)])
    return done


async def _books(
    connection: Connection, sent: Sequence[Sent], private: Ed25519PrivateKey
) -> tuple[dict[str, Book], dict[EntryPlace, Hash]]:
    """The logbooks that entries were sent for, and of the ids that these name those that are there."""
    robots = sorted({one.robot_id for one in sent})
    heads = {row["robot_id"]: row["book"] for row in await connection.fetch(_HEADS, robots)}
    asked = {(one.robot_id, id_) for one in sent for id_ in asked_ids(one.submission.signed.entry)}
    kinds: dict[str, dict[str, str]] = {robot_id: {} for robot_id in robots}
    known: dict[EntryPlace, Hash] = {}
    for robot_id, entry_id, kind, record in await connection.fetch(_KNOWN, *transposed(sorted(asked))):
        kinds[robot_id][entry_id] = kind
        with suppress(RejectError):  # somebody changed it: verify-log names it
            known[robot_id, entry_id] = decode_record(record).signed.hash
    platforms = frozenset({public_key(private)})
    books = {
        robot_id: decode_book(heads[robot_id], platforms, kinds[robot_id])
        if robot_id in heads
        else Book(robot_id=robot_id, platforms=platforms)
        for robot_id in robots
    }
    return books, known


async def _add(connection: Connection, records: Sequence[Record], books: Iterable[Book]) -> None:
    """What is derived from entries and must never differ from them is written here too, behind them."""
    await connection.execute(_ADD_ENTRIES, *transposed([_entry_row(record) for record in records]))
    opened = [
        (record.signed.entry.robot_id, record.link.number, opened.commitment, opened.salt, opened.value)
        for record in records
        for opened in record.opened
    ]
    if opened:
        await connection.execute(_ADD_OPENED, *transposed(opened))
    heads = [(book.robot_id, book.number, book.chain, book.received_us, encode_book(book)) for book in books]
    await connection.execute(_SET_HEADS, *transposed(heads))
    await project(connection, records)


def _entry_row(record: Record) -> tuple[object, ...]:
    entry, link = record.signed.entry, record.link
    return (
        entry.robot_id, link.number, entry.id, kind_name(type(entry.what)), entry.author, entry.happened_us,
        entry.written_us, link.received_us, entry.runtime_s,
        encode_record(msgspec.structs.replace(record, opened=())),
    )  # fmt: skip
