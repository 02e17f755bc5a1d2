"""What the repairer reads and writes in the database, in SQL. Called by `processors/repair.py` with its connection.

Times travel as microseconds, since a double cannot hold a timestamptz exactly.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, TypeAlias

import asyncpg
import msgspec

from processors.rows import FRAME_COLUMNS, FRAME_ORDER
from schemas.topics import FRAMES

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

MARKS_AT_ONCE = 200
ROWS_AT_ONCE = 500  # some 5 ms of work in which nothing else of the process gets its turn

_LOCK = 0x72657061697265  # any number that nobody else uses: "repaire"

_LANDED = "SELECT partition, next_offset FROM landed WHERE topic = $1"

# In the order of the primary key and without a join: a flush makes a hundred thousand, and 200 are read at a time.
_MARKS = """
SELECT robot_id, (extract(epoch FROM start) * 1000000)::bigint AS start_us, length_us, partition, frame_offset,
       reason
FROM late_window
WHERE frame_offset < (SELECT next_offset FROM landed WHERE topic = $1 AND landed.partition = late_window.partition)
ORDER BY robot_id, start LIMIT $2"""

# Frames are counted only of windows that are open on a partition that stands: those are few, whatever is noted of
# windows that a clock has put an hour ahead.
_AGAIN = """
SELECT robot_id, (extract(epoch FROM start) * 1000000)::bigint AS start_us, length_us, repair_again.partition
FROM repair_again
LEFT JOIN unnest($1::integer[], $2::bigint[]) AS closed (partition, us) ON closed.partition = repair_again.partition
LEFT JOIN unnest($3::integer[], $4::bigint[]) AS stands (partition, us) ON stands.partition = repair_again.partition
WHERE start + length_us * interval '1 us' <= to_timestamp(0) + closed.us * interval '1 us'
   OR start <= to_timestamp(0) + stands.us * interval '1 us' AND (
        SELECT count(*) FROM frame
        WHERE frame.robot_id = repair_again.robot_id AND frame.time >= repair_again.start
            AND frame.time < repair_again.start + repair_again.length_us * interval '1 us'
    ) > coalesce((
        SELECT frames FROM vitals
        WHERE vitals.robot_id = repair_again.robot_id AND vitals.start = repair_again.start
            AND vitals.length_us = repair_again.length_us
    ), 0)
ORDER BY start, robot_id LIMIT $5"""

# The outer bounds are constants of the query, so that chunks of other times are not opened.
_ROWS = f"""
SELECT {FRAME_COLUMNS}
FROM unnest($1::text[], $2::bigint[]) AS mark (robot_id, start_us)
JOIN frame ON frame.robot_id = mark.robot_id
    AND frame.time >= to_timestamp(0) + mark.start_us * interval '1 us'
    AND frame.time < to_timestamp(0) + (mark.start_us + $3::bigint) * interval '1 us'
WHERE frame.time >= to_timestamp(0) + $4::bigint * interval '1 us'
    AND frame.time < to_timestamp(0) + $5::bigint * interval '1 us'
ORDER BY {FRAME_ORDER}"""  # noqa: S608 -- the names come from our own signal table

_DELETE_MARKS = """
DELETE FROM late_window USING unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[])
    AS done (robot_id, start_us, length_us, frame_offset)
WHERE late_window.robot_id = done.robot_id AND late_window.length_us = done.length_us
    AND late_window.start = to_timestamp(0) + done.start_us * interval '1 us'
    AND late_window.frame_offset <= done.frame_offset"""

_DELETE_AGAIN = """
DELETE FROM repair_again USING unnest($1::text[], $2::bigint[], $3::bigint[])
    AS done (robot_id, start_us, length_us)
WHERE repair_again.robot_id = done.robot_id AND repair_again.length_us = done.length_us
    AND repair_again.start = to_timestamp(0) + done.start_us * interval '1 us'"""

_NOTE_AGAIN = """
INSERT INTO repair_again (robot_id, start, length_us, partition)
SELECT robot_id, to_timestamp(0) + start_us * interval '1 us', length_us, partition
FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::integer[]) AS new (robot_id, start_us, length_us, partition)
ON CONFLICT DO NOTHING"""


class Mark(msgspec.Struct, frozen=True):
    """A window to compute again. `frame_offset` and `reason` are of the last frame left out of it; None: it was
    repaired while it was open.
    """

    robot_id: str
    start_us: int
    length_us: int
    partition: int
    frame_offset: int | None = None
    reason: str | None = None


async def is_ours(connection: Connection) -> bool:
    """Whether this session is the one that repairs, now or since before."""
    return bool(await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK))


async def waiting(connection: Connection) -> int:
    """How many windows miss frames."""
    return int(await connection.fetchval("SELECT count(*) FROM late_window"))


async def landed(connection: Connection) -> dict[int, int]:
    """For each partition of the frames the next offset to land."""
    return {row["partition"]: row["next_offset"] for row in await connection.fetch(_LANDED, FRAMES.name)}


async def due(connection: Connection, ended_us: dict[int, int], stands_us: dict[int, int]) -> list[Mark]:
    """Marks whose frames have landed, and windows to repair again: those that end by `ended_us` of their partition,
    and, where it stands at `stands_us`, those begun by then that have more rows than their vitals count. At most
    MARKS_AT_ONCE of each.
    """
    marks = await connection.fetch(_MARKS, FRAMES.name, MARKS_AT_ONCE)
    ended, stands = ([*ended_us], [*ended_us.values()]), ([*stands_us], [*stands_us.values()])
    again = await connection.fetch(_AGAIN, *ended, *stands, MARKS_AT_ONCE)
    return [Mark(**row) for row in [*marks, *again]]


async def rows(connection: Connection, marks: Sequence[Mark]) -> AsyncIterator[list[Any]]:
    """The frames of windows of one length, in FRAME_ORDER, ROWS_AT_ONCE at a time."""
    windows = {(mark.robot_id, mark.start_us) for mark in marks}
    length_us, starts = marks[0].length_us, [start for _, start in windows]
    bounds = (min(starts), max(starts) + length_us)
    async with connection.transaction(readonly=True):
        cursor = await connection.cursor(_ROWS, [robot for robot, _ in windows], starts, length_us, *bounds)
        while found := await cursor.fetch(ROWS_AT_ONCE):
            yield found


async def finish(connection: Connection, done: Iterable[Mark], again: Iterable[Mark]) -> None:
    """Delete what was published, but for marks that have grown; note the windows to repair `again`."""
    marks = [mark for mark in done if mark.frame_offset is not None]
    repeated = [mark for mark in done if mark.frame_offset is None]
    async with connection.transaction():
        await connection.execute(_DELETE_MARKS, *_keys(marks), [mark.frame_offset for mark in marks])
        await connection.execute(_DELETE_AGAIN, *_keys(repeated))
        await connection.execute(_NOTE_AGAIN, *_keys(again := list(again)), [mark.partition for mark in again])


def _keys(marks: Sequence[Mark]) -> tuple[list[str], list[int], list[int]]:
    return [m.robot_id for m in marks], [m.start_us for m in marks], [m.length_us for m in marks]
