"""Dropping what is old enough, as `processors/retention.py` decides.

In: a connection of its own, keep times and the moment. Out: chunks dropped and rows deleted. Called by
`processors/retain.py`, and by `robovitals retain --dry-run`, which only looks.

A chunk goes in one transaction, and only if nothing needs it once nobody else can write to it any more: its drop
holds it, and is taken back where a note has come meanwhile.
"""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta

from asyncpg.exceptions import LockNotAvailableError

from processors.retention import TABLES, Chunk, Needs, Verdict, columnstore, verdicts
from processors.roll_tables import Connection, progress

DELETED_AT_ONCE = 10_000

_CHUNKS = """
SELECT hypertable_name AS table, range_start AS start, range_end AS end,
    pg_total_relation_size(class.oid) AS size_bytes, greatest(class.reltuples, 0)::bigint AS rows
FROM timescaledb_information.chunks
JOIN pg_class AS class ON class.oid = format('%I.%I', chunk_schema, chunk_name)::regclass
WHERE hypertable_name = ANY ($1::text[])"""

_REPAIRS = "SELECT start FROM late_window UNION ALL SELECT start FROM repair_again"
_DUE = "SELECT DISTINCT start FROM hourly_due"

# What somebody will read of a table: notes with the moment in `start`.
_NOTES = {"frame": (_REPAIRS,), "vitals": (_REPAIRS, _DUE)}

_DELETE = """
DELETE FROM {table}
WHERE ctid = ANY (ARRAY(SELECT ctid FROM {table} WHERE {column} < $1 AND NOT {unless} LIMIT {limit}))"""

_WITH_ROW_SECURITY = "SELECT relname FROM pg_class WHERE relrowsecurity AND relnamespace = 'public'::regnamespace"

_log = logging.getLogger(__name__)


async def look(connection: Connection, keep: Mapping[str, timedelta | None], now: datetime) -> list[Verdict]:
    """Which chunks are old enough, and which of them stay nevertheless."""
    rows = await connection.fetch(_CHUNKS, [kept.table for kept in TABLES if kept.hypertable])
    repairs = await connection.fetch(_REPAIRS)
    due = await connection.fetch(_DUE)
    needs = Needs(
        [row["start"] for row in repairs], [row["start"] for row in due], (await progress(connection)).rolled_until
    )
    return verdicts([Chunk(**row) for row in rows], keep, needs, now)


async def old_rows(connection: Connection, keep: Mapping[str, timedelta | None], now: datetime) -> dict[str, int]:
    """How many rows of ordinary tables are old enough."""
    found = {}
    for kept in TABLES:
        time = keep[kept.table]
        if not kept.hypertable and time is not None:
            older = f"{kept.column} < $1 AND NOT {kept.unless}"
            query = f"SELECT count(*) FROM {kept.table} WHERE {older}"  # noqa: S608 -- names of ours
            found[kept.table] = int(await connection.fetchval(query, now - time))
    return found


async def drop(connection: Connection, chunk: Chunk) -> bool:
    """Returns whether it is gone: a note that has come meanwhile keeps it, and so does who reads it for long."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(
            "SELECT drop_chunks($1::text::regclass, older_than => $2::timestamptz, newer_than => $3::timestamptz)",
            chunk.table, chunk.end, chunk.start,
        )  # fmt: skip
        for notes in _NOTES.get(chunk.table, ()):
            query = f"SELECT EXISTS (SELECT FROM ({notes}) AS note WHERE start >= $1 AND start < $2)"  # noqa: S608
            if await connection.fetchval(query, chunk.start, chunk.end):
                await transaction.rollback()
                return False
        if chunk.table == "vitals":
            await connection.execute("UPDATE hourly_state SET kept_from = greatest(kept_from, $1)", chunk.end)
        await transaction.commit()
    except LockNotAvailableError:
        await transaction.rollback()
        return False
    except BaseException:
        await transaction.rollback()
        raise
    return True


async def delete_rows(
    connection: Connection, keep: Mapping[str, timedelta | None], now: datetime
) -> dict[str, int]:
    """Of ordinary tables, some at a time. Returns how many, by table."""
    deleted = {}
    for kept in TABLES:
        time = keep[kept.table]
        if kept.hypertable or time is None:
            continue
        query = _DELETE.format(
            table=kept.table, column=kept.column, unless=kept.unless, limit=DELETED_AT_ONCE
        )  # fmt: skip
        deleted[kept.table] = 0
        more = True
        while more:
            count = int((await connection.execute(query, now - time)).split()[-1])
            deleted[kept.table] += count
            more = count == DELETED_AT_ONCE
    return deleted


async def pack(connection: Connection) -> None:
    """What the edition of TimescaleDB that is found can do beyond the other."""
    edition = str(await connection.fetchval("SHOW timescaledb.license"))
    rows = await connection.fetch(_WITH_ROW_SECURITY)
    for statement in columnstore(edition, [row["relname"] for row in rows]):
        _log.info("%s", statement)
        await connection.execute(statement)
