"""What landing keeps of seals, in SQL. Every statement here runs inside the transaction of a batch.

In: an open transaction. Out: events and keys in use are stored; rows that were there already are found. Called by
`ingest/landing.py`. Times travel as microseconds, since a double cannot hold a timestamptz exactly.
"""

from collections.abc import Mapping, Sequence
from dataclasses import astuple
from typing import TypeAlias

import asyncpg

from ingest.parameters import transposed
from ingest.sealed import REPLAY_AFTER_US, UNKNOWN, Group, SealedRows, SecurityEvent, Stored

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

# A code that nobody knows is anybody's invention, and there are more of them than a disk holds.
_ADD_EVENTS = """
INSERT INTO security_event (day, robot_id, reason, refused, partition, records, first, last, first_offset,
                            last_offset, detail)
SELECT day, known, reason, refused, partition, sum(records),
    to_timestamp(0) + min(first_us) * interval '1 us', to_timestamp(0) + max(last_us) * interval '1 us',
    min(first_offset), max(last_offset), max(detail)
FROM unnest($1::date[], $2::text[], $3::text[], $4::boolean[], $5::integer[], $6::bigint[], $7::bigint[],
            $8::bigint[], $9::bigint[], $10::bigint[], $11::text[])
    AS new (day, robot_id, reason, refused, partition, records, first_us, last_us, first_offset, last_offset,
            detail),
LATERAL (SELECT CASE WHEN EXISTS (SELECT FROM robot WHERE robot.robot_id = new.robot_id)
    OR EXISTS (SELECT FROM robot_credential AS given WHERE given.robot_id = new.robot_id)
    THEN new.robot_id ELSE $12 END AS known) AS named
GROUP BY day, known, reason, refused, partition
ON CONFLICT (day, robot_id, reason, refused, partition) DO UPDATE
SET records = security_event.records + excluded.records, detail = excluded.detail,
    first = least(security_event.first, excluded.first), last = greatest(security_event.last, excluded.last),
    first_offset = least(security_event.first_offset, excluded.first_offset),
    last_offset = greatest(security_event.last_offset, excluded.last_offset)
RETURNING day, robot_id, reason, refused, partition, records"""

_NOTE_USES = """
UPDATE robot_credential SET used = now()
FROM unnest($1::text[], $2::integer[]) AS seen (robot_id, key_version)
WHERE robot_credential.robot_id = seen.robot_id AND robot_credential.key_version = seen.key_version"""

# The outer bounds are constants of the query, so that chunks of other times are not opened.
_STORED_BEFORE = """
SELECT DISTINCT frame.robot_id, (extract(epoch FROM frame.time) * 1000000)::bigint AS time_us, frame.seq,
    frame.boot_id, (extract(epoch FROM frame.received) * 1000000)::bigint AS received_us
FROM incoming_frame
JOIN frame USING (robot_id, time, seq, boot_id)
WHERE incoming_frame.received > frame.received + $1::bigint * interval '1 us'
    AND frame.time >= to_timestamp(0) + $2::bigint * interval '1 us'
    AND frame.time <= to_timestamp(0) + $3::bigint * interval '1 us'"""


async def add_events(connection: Connection, events: Sequence[SecurityEvent]) -> dict[Group, int]:
    """Add to what is known of the day. Out: how many refused records each group had before."""
    if not events:
        return {}
    rows = await connection.fetch(_ADD_EVENTS, *transposed([astuple(event) for event in events]), UNKNOWN)
    before = {
        (row["day"], row["robot_id"], row["reason"], row["partition"]): row["records"]
        for row in rows
        if row["refused"]
    }
    for event in events:
        if event.refused:
            group = event.day, event.robot_id, event.reason, event.partition
            before[group if group in before else (event.day, UNKNOWN, event.reason, event.partition)] -= (
                event.records
            )
    return before


async def note_uses(connection: Connection, versions: Mapping[bytes, int]) -> None:
    """Robots that use another key than before, or the first that this lander sees."""
    if versions:
        await connection.execute(_NOTE_USES, [code.decode() for code in versions], [*versions.values()])


async def stored_before(connection: Connection, sealed: SealedRows) -> list[Stored]:
    """Of the frames that the transaction has in `incoming_frame`, those that have been rows for long."""
    bounds = int(sealed.time_us.min()), int(sealed.time_us.max())
    found = await connection.fetch(_STORED_BEFORE, REPLAY_AFTER_US, *bounds)
    return [Stored(**row) for row in found]
