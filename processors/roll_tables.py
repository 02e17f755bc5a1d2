"""What the roll-up asks of the database, and writes to it.

In: a connection of its own. Out: hours that are due, their windows, and rows of `vitals_hourly`. Called by
`processors/roll.py`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeAlias

import asyncpg
import msgspec

from processors.hourly import HOURLY_COLUMNS, VITALS_COLUMNS, VITALS_ORDER

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

HOURS_AT_ONCE = 32  # robots' hours in a transaction: 12 000 windows of 10 s, 50 MB of this process

_LOCK = 0x726F6C6C7570  # any number that nobody else uses: "rollup"

# A robot of which there is no hour yet is rolled up from its first window on: it is new, or all of this is.
_CLAIM = """
WITH claimed AS (
    SELECT rolled_until AS since, kept_from FROM hourly_state WHERE rolled_until < $1::timestamptz
), known AS (
    SELECT robot.robot_id, CASE
        WHEN claimed.since > '-infinity'
            AND EXISTS (SELECT FROM vitals_hourly WHERE vitals_hourly.robot_id = robot.robot_id) THEN claimed.since
        ELSE (SELECT time_bucket('1 hour', min(vitals.start)) FROM vitals
              WHERE vitals.robot_id = robot.robot_id AND vitals.start >= claimed.kept_from)
        END AS since
    FROM robot CROSS JOIN claimed
), due AS (
    INSERT INTO hourly_due (robot_id, start)
    SELECT robot_id, hour FROM known
    CROSS JOIN LATERAL generate_series(since, $1::timestamptz - interval '1 hour', interval '1 hour') AS hour
    ORDER BY hour, robot_id
)
UPDATE hourly_state SET rolled_until = $1 WHERE rolled_until < $1"""

_FIRST_TIME = """
SELECT time_bucket('1 hour', min(range_start)) FROM timescaledb_information.chunks
WHERE hypertable_name = 'vitals'"""

_DUE = "SELECT position, robot_id, start FROM hourly_due ORDER BY position LIMIT $1"

# The outer bounds are constants of the query, so that chunks of other times are not opened.
_WINDOWS = f"""
SELECT {VITALS_COLUMNS}
FROM unnest($1::text[], $2::timestamptz[]) AS due (robot_id, hour)
JOIN vitals ON vitals.robot_id = due.robot_id AND vitals.start >= due.hour
    AND vitals.start < due.hour + interval '1 hour'
WHERE vitals.start >= $3 AND vitals.start < $4::timestamptz + interval '1 hour'
ORDER BY {VITALS_ORDER}"""  # noqa: S608 -- the names come from our own signal table

_INCOMING = """
CREATE TEMPORARY TABLE IF NOT EXISTS incoming_hourly (LIKE vitals_hourly) ON COMMIT DELETE ROWS"""

# An hour of long ago has been audited; those of today will be, whether they are told of or not.
_NOTE_LATE = """
INSERT INTO audit_late (robot_id, start) SELECT robot_id, start FROM incoming_hourly
WHERE start < now() - interval '1 day'
  AND EXISTS (SELECT FROM audit_state WHERE audit_state.robot_id = incoming_hourly.robot_id)"""

# Of an hour whose windows have been dropped only what came late is left: it may not take the place of the whole.
_STORE = f"""
INSERT INTO vitals_hourly ({", ".join(HOURLY_COLUMNS)}) SELECT {", ".join(HOURLY_COLUMNS)} FROM incoming_hourly
ON CONFLICT (robot_id, start) DO UPDATE
SET ({", ".join(HOURLY_COLUMNS)}) = ROW ({", ".join(f"excluded.{name}" for name in HOURLY_COLUMNS)})
WHERE excluded.start >= (SELECT kept_from FROM hourly_state)"""  # noqa: S608

_DONE = "DELETE FROM hourly_due WHERE position = ANY ($1::bigint[])"


class Due(msgspec.Struct, frozen=True):
    """A robot's hour to roll up, noted at `position`."""

    position: int
    robot_id: str
    start: datetime


class Progress(msgspec.Struct, frozen=True):
    """`rolled_until` None: nothing yet. `due`: noted hours, those that are noted twice twice."""

    rolled_until: datetime | None
    due: int


async def is_ours(connection: Connection) -> bool:
    """Whether this session is the one that rolls up and drops, now or since before."""
    return bool(await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK))


async def first_time(connection: Connection) -> datetime | None:
    """Before the first window, by a chunk's length at most, at a full hour; None without any."""
    return await connection.fetchval(_FIRST_TIME)  # type: ignore[no-any-return]


async def claim(connection: Connection, until: datetime) -> None:
    """Note all robots' hours from where it was to `until` (a full hour) as due, and move `rolled_until` there."""
    await connection.execute(_CLAIM, until)


async def horizon(connection: Connection) -> int:
    """A number for this moment: transactions that are running have lower ones."""
    return int(await connection.fetchval("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"))


async def oldest_running(connection: Connection) -> int:
    """The number below which no transaction is running that has written anything."""
    return int(await connection.fetchval("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"))


async def due(connection: Connection) -> list[Due]:
    """The first HOURS_AT_ONCE."""
    return [Due(**row) for row in await connection.fetch(_DUE, HOURS_AT_ONCE)]


async def windows(connection: Connection, hours: Sequence[Due]) -> list[asyncpg.Record]:
    """The windows that begin in these hours, in VITALS_ORDER."""
    wanted = {(hour.robot_id, hour.start) for hour in hours}
    starts = [start for _, start in wanted]
    return await connection.fetch(_WINDOWS, [robot for robot, _ in wanted], starts, min(starts), max(starts))


async def store(connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Inside a transaction."""
    await connection.execute(_INCOMING)
    await connection.copy_records_to_table("incoming_hourly", records=rows, columns=HOURLY_COLUMNS)
    await connection.execute(_STORE)
    await connection.execute(_NOTE_LATE)


async def finish(connection: Connection, hours: Sequence[Due]) -> None:
    """Inside the same transaction."""
    await connection.execute(_DONE, [hour.position for hour in hours])


async def progress(connection: Connection) -> Progress:
    """How far it is."""
    row = await connection.fetchrow(
        "SELECT nullif(rolled_until, '-infinity') AS rolled_until, (SELECT count(*) FROM hourly_due) AS due "
        "FROM hourly_state"
    )
    assert row is not None
    return Progress(row["rolled_until"], row["due"])
