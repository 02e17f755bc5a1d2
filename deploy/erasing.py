"""What stands behind commitments, erased for good: the entries, their hashes and their signatures stay.

In: a connection, and whose or which. Out: what was erased; the table `logbook_erased` has who did it, when and why.
Called by `robovitals logbook erase`. Refused entries are kept with the bytes that their authors sent, so what these
open is taken out of them as well. What Kafka still holds goes by itself (`docs/privacy.md`).
"""

from collections.abc import Sequence
from typing import Any, cast

import asyncpg
import msgspec

from ingest.parameters import transposed
from schemas.canonical import canonical, parse
from schemas.errors import RejectError
from schemas.topics import LOGBOOK

_OPENED = """
SELECT robot_id, number, commitment, salt, value FROM logbook_opened
WHERE ($1::text IS NULL OR robot_id = $1) AND ($2::integer IS NULL OR number = $2)
    AND ($3::text IS NULL OR md5(value) = md5($3) AND value = $3)
ORDER BY robot_id, number, commitment FOR UPDATE"""
_ERASE = """
WITH gone AS (
    DELETE FROM logbook_opened
    USING unnest($1::text[], $2::integer[], $3::text[]) AS chosen (robot_id, number, commitment)
    WHERE (logbook_opened.robot_id, logbook_opened.number, logbook_opened.commitment)
        = (chosen.robot_id, chosen.number, chosen.commitment)
    RETURNING logbook_opened.robot_id, logbook_opened.number, logbook_opened.commitment
)
INSERT INTO logbook_erased (robot_id, number, commitment, erased_by, reason)
SELECT robot_id, number, commitment, $4, $5 FROM gone"""
_REFUSED = """
SELECT topic, partition, record_offset, value FROM reject
WHERE topic = $1 AND ($2::bytea IS NULL OR key = $2) FOR UPDATE"""
_REDACT = """
UPDATE reject SET value = new.value
FROM unnest($2::integer[], $3::bigint[], $4::bytea[]) AS new (partition, record_offset, value)
WHERE reject.topic = $1 AND reject.partition = new.partition AND reject.record_offset = new.record_offset"""


class Erased(msgspec.Struct, frozen=True):
    """Openings that are gone, as robot and number; and how many refused entries held some of it."""

    openings: Sequence[tuple[str, int]]
    refused: int


async def erase(
    connection: asyncpg.Connection,
    robot_id: str | None,
    number: int | None,
    value: str | None,
    erased_by: str,
    reason: str,
) -> Erased:
    """Those that all of robot, entry and value pick; None picks every one. In one transaction."""
    async with connection.transaction():
        rows = await connection.fetch(_OPENED, robot_id, number, value)
        columns = [[row[name] for row in rows] for name in ("robot_id", "number", "commitment")]
        await connection.execute(_ERASE, *columns, erased_by, reason)
        refused = 0
        if number is None:  # what was refused has no number
            refused = await _redact(connection, robot_id, value)
    return Erased([(row["robot_id"], row["number"]) for row in rows], refused)


async def _redact(connection: asyncpg.Connection, robot_id: str | None, value: str | None) -> int:
    key = None if robot_id is None else robot_id.encode()
    found = await connection.fetch(_REFUSED, LOGBOOK.name, key)
    changed = [
        (row["partition"], row["record_offset"], without)
        for row in found
        if (without := without_opened(row["value"], value)) != row["value"]
    ]
    if changed:
        await connection.execute(_REDACT, LOGBOOK.name, *transposed(changed))
    return len(changed)


def without_opened(data: bytes, value: str | None) -> bytes:
    """A submission without what it opens, or without this value of it; bytes that are none as they are, unless the
    value is in them: then nothing of them stays.
    """
    try:
        document = cast("dict[str, Any]", parse(data))
        kept = [] if value is None else [one for one in document.get("opened", []) if one["value"] != value]
        if "opened" in document:
            document = {**document, "opened": kept}
        return canonical(document)
    except (RejectError, TypeError, KeyError, AttributeError):
        is_there = value is None or value.encode() in data or msgspec.json.encode(value)[1:-1] in data
        return b"" if is_there else data
