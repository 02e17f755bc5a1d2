"""What incidents ask of the database, and write to it: the files in `processors/incident/queries`.

In: a connection. Out: rows. Called by `freeze.py` and `keep.py`.
"""

from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any, TypeAlias

import asyncpg
import msgspec

from processors.incident.case import AFTER_US, BEFORE_US

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

BEFORE, AFTER = timedelta(microseconds=BEFORE_US), timedelta(microseconds=AFTER_US)

_OPEN = """
INSERT INTO incident (incident_id, robot_id, at, opened_by, text) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING"""

# The robot's own later frame says that all of the window is there; what overtook it is appended.
_AWAITED = """
SELECT incident.*, EXISTS (
    SELECT FROM frame WHERE frame.robot_id = incident.robot_id AND frame.time > incident.at + $2::interval
) AS is_past
FROM incident
WHERE completed IS NULL AND ($1::text IS NULL OR incident_id = $1) AND at + $2::interval < now()
ORDER BY at LIMIT 100"""
_LOCK = "SELECT completed IS NULL FROM incident WHERE incident_id = $1 FOR UPDATE"
_COMPLETE = """
UPDATE incident SET completed = clock_timestamp(), verdict = $2, part = $3, evidence = $4::jsonb
WHERE incident_id = $1"""


class Incident(msgspec.Struct, frozen=True):
    """One that was opened. `is_past`: a frame of its robot from behind its window has landed."""

    incident_id: str
    robot_id: str
    at: datetime
    opened_by: str
    is_past: bool

    @property
    def start(self) -> datetime:
        return self.at - BEFORE

    @property
    def end(self) -> datetime:
        return self.at + AFTER


@cache
def sql(name: str, **parts: str) -> str:
    """A query by its file's name, its braces filled."""
    text = files("processors").joinpath(f"incident/queries/{name}.sql").read_text(encoding="utf-8")
    return text.format(**parts) if parts else text


async def ask(connection: Connection, query: str, *parameters: Any) -> list[asyncpg.Record]:
    return await connection.fetch(sql(query), *parameters)


async def open_incident(
    connection: Connection, incident_id: str, robot_id: str, at: datetime, opened_by: str, text: str
) -> bool:
    """False where it is there already."""
    return (await connection.execute(_OPEN, incident_id, robot_id, at, opened_by, text)).endswith(" 1")


async def awaited(connection: Connection, incident_id: str | None = None) -> list[Incident]:
    """Those whose window is over and that are not completed."""
    rows = await connection.fetch(_AWAITED, incident_id, AFTER)
    return [Incident(r["incident_id"], r["robot_id"], r["at"], r["opened_by"], r["is_past"]) for r in rows]


async def lock(connection: Connection, incident_id: str) -> bool:
    """Inside a transaction. False where somebody else has completed it."""
    return bool(await connection.fetchval(_LOCK, incident_id))


async def copy_frames(connection: Connection, incident: Incident, appended: bool) -> int:
    """Returns how many are new."""
    done = await connection.execute(
        sql("frames"), incident.incident_id, incident.robot_id, incident.start, incident.end, appended
    )
    return int(done.split()[-1])


async def complete(connection: Connection, incident_id: str, verdict: str, part: str, evidence: bytes) -> None:
    """Inside a transaction."""
    await connection.execute(_COMPLETE, incident_id, verdict, part, evidence.decode())
