"""Freezing an incident: frames and records are copied, evidence is drawn from them, and the verdict is written.

In: a connection and an incident whose window is over. Out: its rows, in one transaction. Called by `keep.py` and by
`robovitals incident`. What comes later is appended and marked: the verdict stays that of what was there.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import msgspec
import numpy as np

from processors.incident import tables
from processors.incident.case import PAST_DAYS, Alarm, Case, Fleet, Past, Share
from processors.incident.evidence import STARTED
from processors.incident.gather import Frozen, Gathered, gather
from processors.incident.part import failed_part
from processors.incident.rows import FRAME_COLUMNS, PAST_COLUMNS, past_of, us_of, window_of
from processors.incident.tables import Connection, Incident
from processors.incident.verdict import assess
from schemas.incident import Assessment

_HOUR_US = 3_600_000_000


async def complete(connection: Connection, incident: Incident, platforms: frozenset[str]) -> Assessment | None:
    """None: somebody else has done it."""
    async with connection.transaction():
        if not await tables.lock(connection, incident.incident_id):
            return None
        await tables.copy_frames(connection, incident, appended=False)
        gathered = await gather(connection, incident, platforms)
        case = await _case(connection, incident, gathered)
        part = failed_part(case)
        case = msgspec.structs.replace(case, fleet=await _fleet(connection, incident, case, part))
        found = assess(case)
        await _store(connection, incident, [*gathered.records, *_drawn(case, part)], appended=False)
        evidence = msgspec.json.encode(found)
        await tables.complete(connection, incident.incident_id, found.verdict, found.part, evidence)
    return found


async def append(connection: Connection, incident: Incident, platforms: frozenset[str]) -> int:
    """What came since it was completed. Returns how many frames and records."""
    async with connection.transaction():
        frames = await tables.copy_frames(connection, incident, appended=True)
        gathered = await gather(connection, incident, platforms)
        return frames + await _store(connection, incident, gathered.records, appended=True)


async def note(connection: Connection, incident: Incident, record: Frozen) -> None:
    """What a person adds to an incident that is completed."""
    await _store(connection, incident, [record], appended=True)


async def _store(connection: Connection, incident: Incident, records: Sequence[Frozen], appended: bool) -> int:
    columns = [[getattr(record, name) for record in records] for name in Frozen.__struct_fields__]
    done = await connection.execute(
        tables.sql("records"), incident.incident_id, incident.robot_id, appended, *columns
    )
    return int(done.split()[-1])


async def _case(connection: Connection, incident: Incident, gathered: Gathered) -> Case:
    frames = await connection.fetch(tables.sql("window", columns=FRAME_COLUMNS), incident.incident_id)
    begun = incident.at - timedelta(days=PAST_DAYS)
    until = incident.at.replace(minute=0, second=0, microsecond=0)
    hours = await connection.fetch(tables.sql("hours", columns=PAST_COLUMNS), incident.robot_id, begun, until)
    return Case(
        robot_id=incident.robot_id,
        at_us=us_of(incident.at),
        window=window_of(frames),
        past=_up_to(past_of(hours), frames),
        alarms=gathered.alarms,
        before=gathered.before,
        services=gathered.services,
        fleet=None,
        integrity=gathered.integrity,
    )


def _up_to(past: Past, frames: Sequence[Any]) -> Past:
    """With the version and the work of the window's first frame as its last hour: a version may be newer than the
    newest hour.
    """
    if not frames:
        return past
    first = frames[0]
    return Past(
        hour_us=np.append(past.hour_us, us_of(first["time"]) // _HOUR_US * _HOUR_US),
        software=[*past.software, first["software"]],
        work=[*past.work, first["scenario"]],
        highest={channel: np.append(values, np.nan) for channel, values in past.highest.items()},
        level={channel: np.append(values, np.nan) for channel, values in past.level.items()},
    )


async def _fleet(connection: Connection, incident: Incident, case: Case, part: str) -> Fleet | None:
    if not part or not case.past.software:
        return None
    overdue = [
        one.record.split("/")[1] for one in case.services if one.component == part and one.state == "overdue"
    ]
    rows = await tables.ask(
        connection, "fleet", incident.robot_id, incident.at, case.past.software[-1], signals_of(case.alarms, part),
        part, overdue,
    )  # fmt: skip
    return fleet_of(dict(rows[0]))


def signals_of(alarms: Sequence[Alarm], part: str) -> list[str]:
    """By which others are compared: those of its alarms, else those by which parts are seen to fail."""
    return sorted({alarm.signal for alarm in alarms if alarm.component == part and alarm.signal}) or list(STARTED)


def fleet_of(row: Mapping[str, Any]) -> Fleet | None:
    """None where there is nobody to compare with."""
    shares = {
        name: Share(row[f"{name}_affected"], row[f"{name}_robots"])
        for name in ("same", "other", "overdue", "current")
    }
    if not shares["same"].robots + shares["other"].robots:
        return None
    return Fleet(
        record="fleet", same_version=shares["same"], other_version=shares["other"], overdue=shares["overdue"],
        current=shares["current"],
    )  # fmt: skip


def _drawn(case: Case, part: str) -> list[Frozen]:
    """What evidence was drawn from and no other record has: the fleet's numbers, and the hours of the part."""
    hours = {
        "hour_us": case.past.hour_us.tolist(),
        "software": list(case.past.software),
        "work": list(case.past.work),
        **{name: _rounded(getattr(case.past, name), part) for name in ("highest", "level")},
    }
    records = [Frozen("hours", "hours", None, msgspec.json.encode(hours).decode())]
    if case.fleet is not None:
        records.append(Frozen("fleet", "fleet", None, msgspec.json.encode(case.fleet).decode()))
    return records


def _rounded(channels: Mapping[tuple[str, str], Any], part: str) -> dict[str, list[float | None]]:
    return {
        f"{channel}/{signal}": [float(f"{value:.6g}") if np.isfinite(value) else None for value in values]
        for (channel, signal), values in channels.items()
        if channel == part
    }
