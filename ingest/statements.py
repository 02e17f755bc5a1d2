"""What is stored of each content, in SQL. Every statement here runs inside the transaction of a batch.

In: an open transaction and a batch's content. Out: how many rows were there already. Called by
`ingest/landing.py`, which owns the connection and the transaction.

Times travel as microseconds, since a double cannot hold a timestamptz exactly:
`to_timestamp(0) + us * interval '1 us'`.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, TypeAlias, assert_never

import asyncpg
import msgspec

from ingest.action_rows import add_actions
from ingest.anomaly_rows import add_anomalies
from ingest.batch import ActionContent, AnomalyContent, FrameContent, HealthContent, Rowed, Span, VitalsContent
from ingest.copy import HEADER, TRAILER
from ingest.hours import note_hours
from ingest.parameters import affected, transposed
from ingest.part_rows import note_parts
from ingest.rows import ImpossibleReadings, Rows
from schemas.health import Health
from schemas.reject import Reject
from schemas.vitals import LATE_REASONS, Late

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

_ADD_ROBOTS = """
INSERT INTO robot (robot_id, first_time)
SELECT robot_id, to_timestamp(0) + us * interval '1 us' FROM unnest($1::text[], $2::bigint[]) AS new (robot_id, us)
ON CONFLICT DO NOTHING"""

_ADD_IMPOSSIBLE = """
INSERT INTO impossible_reading (robot_id, time, seq, boot_id, signal, joint, value)
SELECT robot_id, to_timestamp(0) + us * interval '1 us', seq, boot_id, signal, joint, value
FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::smallint[], $7::real[])
    AS new (robot_id, us, seq, boot_id, signal, joint, value)
ON CONFLICT DO NOTHING"""

# Of what is there twice in one batch the first one counts, as it does when they come in two.
_ADD_FRAMES = """
INSERT INTO frame ({columns}) SELECT {columns} FROM incoming_frame ORDER BY received ON CONFLICT DO NOTHING"""

# A window with more frames replaces one with fewer; among equals final replaces provisional, repaired any.
# Kinds are 0 final, 1 provisional, 2 repaired (`schemas.vitals.WINDOW_KINDS`).
_ADD_VITALS = """
INSERT INTO vitals ({columns})
SELECT DISTINCT ON (robot_id, start, length_us) {columns} FROM incoming_vitals
ORDER BY robot_id, start, length_us, frames DESC, kind = 2 DESC, kind = 1
ON CONFLICT (robot_id, start, length_us) DO UPDATE SET ({columns}) = ROW ({excluded})
WHERE excluded.frames > vitals.frames
   OR excluded.frames = vitals.frames AND (vitals.kind = 1 OR excluded.kind = 2)"""

_ADD_LATE_WINDOWS = """
INSERT INTO late_window (robot_id, start, length_us, partition, frame_offset, reason)
SELECT DISTINCT ON (robot_id, us, length_us)
    robot_id, to_timestamp(0) + us * interval '1 us', length_us, partition, frame_offset, reason
FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::integer[], $5::bigint[], $6::text[])
    AS new (robot_id, us, length_us, partition, frame_offset, reason)
ORDER BY robot_id, us, length_us, frame_offset DESC
ON CONFLICT (robot_id, start, length_us) DO UPDATE
SET frame_offset = excluded.frame_offset, reason = excluded.reason, partition = excluded.partition
WHERE excluded.frame_offset > late_window.frame_offset"""

# Of one moment's judgements the later in the log counts, as in a compacted topic.
_SET_HEALTH = """
INSERT INTO health (robot_id, time, last_seen, received, status, zone, mode, software, scenario, open_episodes,
                    components)
SELECT DISTINCT ON (robot_id) robot_id,
    to_timestamp(0) + time_us * interval '1 us', to_timestamp(0) + last_seen_us * interval '1 us',
    to_timestamp(0) + received_us * interval '1 us',
    status, zone, mode, software, scenario, open_episodes, components::jsonb
FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[],
            $9::text[], $10::integer[], $11::text[])
    WITH ORDINALITY AS new (robot_id, time_us, last_seen_us, received_us, status, zone, mode, software, scenario,
                            open_episodes, components, position)
ORDER BY robot_id, time_us DESC, position DESC
ON CONFLICT (robot_id) DO UPDATE
SET time = excluded.time, last_seen = excluded.last_seen, received = excluded.received,
    status = excluded.status, zone = excluded.zone, mode = excluded.mode, software = excluded.software,
    scenario = excluded.scenario, open_episodes = excluded.open_episodes, components = excluded.components
WHERE excluded.time >= health.time"""

_ADD_HEALTH_HISTORY = """
INSERT INTO health_history (robot_id, time, status, zone, components)
SELECT DISTINCT ON (robot_id, time_us)
    robot_id, to_timestamp(0) + time_us * interval '1 us', status, zone, components::jsonb
FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[])
    WITH ORDINALITY AS new (robot_id, time_us, status, zone, components, position)
ORDER BY robot_id, time_us, position DESC
ON CONFLICT (robot_id, time) DO UPDATE
SET status = excluded.status, zone = excluded.zone, components = excluded.components
WHERE (health_history.status, health_history.zone, health_history.components)
      IS DISTINCT FROM (excluded.status, excluded.zone, excluded.components)"""

_ADD_REJECTS = """
INSERT INTO reject (topic, partition, record_offset, received, reason, detail, key, value, seal)
SELECT topic, partition, record_offset, to_timestamp(0) + us * interval '1 us', reason, detail, key, value, seal
FROM unnest($1::text[], $2::integer[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::bytea[],
            $8::bytea[], $9::bytea[])
    AS new (topic, partition, record_offset, us, reason, detail, key, value, seal)
ON CONFLICT DO NOTHING"""

_MOVE_OFFSETS = """
UPDATE landed SET next_offset = move.next, last_received = to_timestamp(0) + move.last_ms * interval '1 ms'
FROM unnest($2::integer[], $3::bigint[], $4::bigint[], $5::bigint[]) AS move (partition, first, next, last_ms)
WHERE landed.topic = $1 AND landed.partition = move.partition AND landed.next_offset = move.first
RETURNING landed.partition"""


async def store(connection: Connection, content: Rowed, deduplicate: bool) -> int:
    """Store a batch's content. Returns how many of its rows were there already.

    Without `deduplicate` rows are copied straight in, and one that is there already fails the transaction with
    UniqueViolationError; with it they go through a temporary table.
    """
    match content:
        case FrameContent(rows, impossible):
            found = await _copy(connection, "frame", rows, _ADD_FRAMES if deduplicate else None)
            await _add_impossible(connection, impossible)
            await note_parts(connection, content.parts)
            return found
        case VitalsContent(rows, late, windows):
            found = await _copy(connection, "vitals", rows, _ADD_VITALS if deduplicate else None)
            await note_hours(connection, windows)
            await _add_late_windows(connection, late)
            return found
        case HealthContent(healths):
            return await _set_health(connection, healths)
        case AnomalyContent(anomalies):
            return await add_anomalies(connection, anomalies)
        case ActionContent(actions):
            return await add_actions(connection, actions)
    assert_never(content)


async def add_robots(connection: Connection, first_time_us: dict[bytes, int]) -> None:
    """Robots that may be new."""
    if first_time_us:
        codes = [code.decode() for code in first_time_us]
        await connection.execute(_ADD_ROBOTS, codes, list(first_time_us.values()))


async def add_rejects(connection: Connection, rejects: Sequence[Reject]) -> None:
    """Records that cannot be used, with their original bytes."""
    if rejects:
        rows = [
            (r.topic, r.partition, r.offset, r.received_us, r.reason, r.detail, r.key, r.value, r.seal)
            for r in rejects
        ]
        await connection.execute(_ADD_REJECTS, *transposed(rows))


async def move_offsets(connection: Connection, topic: str, spans: dict[int, Span]) -> set[int]:
    """Move the stored offsets from each span's first to its next. Returns the partitions that were elsewhere."""
    rows = [(partition, span.first, span.next, span.last_ms) for partition, span in spans.items()]
    moved = await connection.fetch(_MOVE_OFFSETS, topic, *transposed(rows))
    return set(spans) - {row["partition"] for row in moved}


async def _copy(connection: Connection, table: str, rows: Rows, deduplicating: str | None) -> int:
    if not rows.count:
        return 0
    target = f"incoming_{table}" if deduplicating else table
    if deduplicating:
        await connection.execute(
            f"CREATE TEMPORARY TABLE IF NOT EXISTS {target} (LIKE {table}) ON COMMIT DELETE ROWS"
        )
    await connection.copy_to_table(target, source=_pieces(rows), columns=rows.columns, format="binary")
    if not deduplicating:
        return 0
    names = ", ".join(rows.columns)
    excluded = ", ".join(f"excluded.{name}" for name in rows.columns)
    status = await connection.execute(deduplicating.format(columns=names, excluded=excluded))
    return rows.count - affected(status)


async def _pieces(rows: Rows) -> AsyncIterator[Any]:
    """A whole COPY input, a block at a time: the server works on one while the next is on its way."""
    yield HEADER
    for block in rows.blocks:
        yield block
    yield TRAILER


async def _add_impossible(connection: Connection, impossible: ImpossibleReadings) -> None:
    if impossible.value:
        readings = (impossible.signal, impossible.joint, impossible.value)
        await connection.execute(
            _ADD_IMPOSSIBLE, impossible.robot_id, impossible.time_us, impossible.seq, impossible.boot_id, *readings
        )


async def _add_late_windows(connection: Connection, marks: Iterable[Late]) -> None:
    rows = [
        (robot, start, late.length_us, late.partition, offset, LATE_REASONS[reason])
        for late in marks
        for robot, start, offset, reason in zip(late.robot_id, late.start_us, late.offset, late.reason, strict=True)
    ]
    if rows:
        await connection.execute(_ADD_LATE_WINDOWS, *transposed(rows))


async def _set_health(connection: Connection, healths: Sequence[Health]) -> int:
    if not healths:
        return 0
    components = [msgspec.json.encode(h.components).decode() for h in healths]
    rows = [
        (h.robot_id, h.time_us, h.last_seen_us, h.received_us, h.status, h.zone, h.mode, h.software, h.scenario,
         h.open_episodes)
        for h in healths
    ]  # fmt: skip
    await connection.execute(_SET_HEALTH, *transposed(rows), components)
    history = [(h.robot_id, h.time_us, h.status, h.zone) for h in healths]
    return len(healths) - affected(await connection.execute(_ADD_HEALTH_HISTORY, *transposed(history), components))
