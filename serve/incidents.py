"""Incidents as people read them: the list, and one with its evidence and everything that was frozen.

In: an asyncpg connection. Out: structs, and rows of frames by column name. Called by the API, the pages, and
`robovitals incident`.
"""

from datetime import datetime
from typing import Any

import asyncpg
import msgspec
from fastapi import HTTPException

from schemas.incident import Assessment
from serve.database import ask, rows


class IncidentLine(msgspec.Struct, frozen=True, kw_only=True):
    """One incident in a line. `completed` null: its window is awaited, and there is no verdict. `part`: what
    failed, empty where that is not clear. `opened_by`: who asked for it; `fault`: the robot's own fault mode.
    """

    incident_id: str
    robot_id: str
    at: datetime
    opened: datetime
    opened_by: str
    text: str
    completed: datetime | None
    verdict: str
    part: str


class FrozenRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A record that evidence may cite by `record_id`. `appended`: it came after the verdict."""

    record_id: str
    kind: str
    time: datetime | None
    frozen: datetime
    appended: bool
    record: Any


class Incident(IncidentLine, frozen=True, kw_only=True):
    """One incident. `evidence` null: it is not completed."""

    frames: int
    appended_frames: int
    evidence: Assessment | None
    records: list[FrozenRecord] = []


async def incident_list(connection: asyncpg.Connection, code: str | None, count: int) -> list[IncidentLine]:
    """The newest first."""
    return await rows(connection, IncidentLine, "incidents", code, count)


async def incident(connection: asyncpg.Connection, incident_id: str) -> Incident:
    """Raises HTTPException 404 for one that is not there, or not for who asks."""
    found = await rows(connection, Incident, "incident", incident_id)
    if not found:
        raise HTTPException(
            404, f"there is no incident {incident_id[:40]!r}, or its robot is in none of your fleets"
        )
    records = await rows(connection, FrozenRecord, "incident_records", incident_id)
    return msgspec.structs.replace(found[0], records=records)


async def incident_frames(connection: asyncpg.Connection, incident_id: str) -> list[dict[str, Any]]:
    """By column name, in the order of time."""
    return [dict(row) for row in await ask(connection, "incident_frames", incident_id)]
