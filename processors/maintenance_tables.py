"""What maintenance reads and writes, in SQL. Called by `processors/maintenance.py`.

Times travel as microseconds, since a double cannot hold a timestamptz exactly.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import asyncpg
import msgspec

from processors.logbooks import by_robot
from schemas.entry import Record
from schemas.logbook import (
    Commissioned,
    Correction,
    CounterChanged,
    MaintenanceDone,
    MaintenancePlanned,
    PartInstalled,
    Registered,
    Scrapped,
    kind_name,
)
from schemas.maintenance import Clock, Counted, Due, Mark, Standing, State
from schemas.maintenance_plan import Plan

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

# What tasks follow from. Corrections name what they correct, which is here or does not matter.
KINDS = tuple(
    kind_name(kind)
    for kind in (
        Registered, Commissioned, PartInstalled, MaintenancePlanned, MaintenanceDone, CounterChanged, Scrapped,
        Correction,
    )
)  # fmt: skip

_LOCK = 0x736572766963  # any number that nobody else uses: "servic"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_US = "(extract(epoch FROM {}) * 1000000)::bigint"

_PLANS = "SELECT plan, imported FROM maintenance_plan"
_STALE = """
SELECT head.robot_id, head.entries
FROM logbook_head AS head LEFT JOIN maintenance_judged AS judged USING (robot_id)
WHERE judged.entries IS DISTINCT FROM head.entries OR judged.plans IS DISTINCT FROM $1
ORDER BY head.robot_id"""
_RECORDS = """
SELECT robot_id, record FROM logbook_entry
WHERE robot_id = ANY ($1) AND kind = ANY ($2) ORDER BY robot_id, number"""

# An hour's row says how the counters stood at the end of it. The first of all is for what happened before it.
_COUNTED = f"""
SELECT told.robot_id, point.runtime_s, point.cycles, point.joint_wear_last AS wear,
    {_US.format("point.last_time")} AS time_us
FROM unnest($1::text[], $2::bigint[]) AS told (robot_id, at_us)
CROSS JOIN LATERAL (
    SELECT runtime_s, cycles, joint_wear_last, last_time FROM vitals_hourly
    WHERE robot_id = told.robot_id AND start <= to_timestamp(0) + (told.at_us - 3600000000) * interval '1 us'
    ORDER BY start DESC LIMIT 1
) AS point
UNION ALL
SELECT told.robot_id, point.runtime_s, point.cycles, point.joint_wear_last, {_US.format("point.last_time")}
FROM unnest($3::text[]) AS told (robot_id)
CROSS JOIN LATERAL (
    SELECT runtime_s, cycles, joint_wear_last, last_time FROM vitals_hourly
    WHERE robot_id = told.robot_id ORDER BY start LIMIT 1
) AS point"""  # noqa: S608 - of constants
# What a robot says seldom may stand in its last hour only.
_LATEST = f"""
SELECT told.robot_id, latest.runtime_s, latest.cycles, latest.joint_wear_last AS wear,
    {_US.format("latest.last_time")} AS time_us
FROM unnest($1::text[]) AS told (robot_id)
CROSS JOIN LATERAL (
    (SELECT runtime_s, cycles, joint_wear_last, last_time FROM vitals
     WHERE robot_id = told.robot_id ORDER BY start DESC LIMIT 1)
    UNION ALL
    (SELECT runtime_s, cycles, joint_wear_last, last_time FROM vitals_hourly
     WHERE robot_id = told.robot_id ORDER BY start DESC LIMIT 1)
) AS latest"""  # noqa: S608 - of constants

_REMOVE = "DELETE FROM maintenance_task WHERE robot_id = ANY ($1)"
_COLUMNS = (
    "robot_id", "task", "component", "planned", "text", "since", "since_entry", "done", "done_entry", "closed",
    "date_us", "runtime_s", "cycles", "wear", "state", "used", "overdue_since",
)  # fmt: skip
_TASKS = f"""
SELECT robot_id, task, component, planned, text, {_US.format("since")} AS since_us, since_entry AS since,
    {_US.format("done")} AS done_us, done_entry AS done, closed, date_us, runtime_s, cycles, wear,
    state, used, {_US.format("overdue_since")} AS overdue_since_us
FROM maintenance_task WHERE robot_id = ANY ($1)"""  # noqa: S608 - of constants
_JUDGE = """
UPDATE maintenance_task SET state = now.state, used = now.used,
    overdue_since = to_timestamp(0) + now.overdue_since_us * interval '1 us'
FROM unnest($1::text[], $2::integer[], $3::text[], $4::text[], $5::text[], $6::double precision[], $7::bigint[])
    AS now (robot_id, planned, task, component, state, used, overdue_since_us)
WHERE maintenance_task.robot_id = now.robot_id AND maintenance_task.planned = now.planned
  AND maintenance_task.task = now.task AND maintenance_task.component = now.component"""
_NOTE_READ = """
INSERT INTO maintenance_judged (robot_id, entries, plans, judged)
SELECT robot_id, entries, $3, $4 FROM unnest($1::text[], $2::integer[]) AS read (robot_id, entries)
ON CONFLICT (robot_id) DO UPDATE
SET entries = excluded.entries, plans = excluded.plans, judged = excluded.judged"""
_NOTE_JUDGED = "UPDATE maintenance_judged SET judged = $2 WHERE robot_id = ANY ($1)"


@asynccontextmanager
async def alone(connection: Connection) -> AsyncIterator[None]:
    """The retainer and a command may want to do so at once."""
    await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
    try:
        yield
    finally:
        await connection.execute("SELECT pg_advisory_unlock($1)", _LOCK)


async def plans(connection: Connection) -> tuple[list[Plan], datetime]:
    """All of them, and when the last was imported."""
    rows = await connection.fetch(_PLANS)
    changed = max((row["imported"] for row in rows), default=_EPOCH)
    return [msgspec.json.decode(row["plan"], type=Plan) for row in rows], changed


async def stale(connection: Connection, plans_changed: datetime) -> dict[str, int]:
    """Robots whose logbooks or plans say more than their tasks are of, and how many entries there are by now."""
    return {row["robot_id"]: row["entries"] for row in await connection.fetch(_STALE, plans_changed)}


async def records(connection: Connection, robots: Sequence[str]) -> dict[str, list[Record]]:
    """What their logbooks say of maintenance, without what cannot be read."""
    return by_robot(robots, await connection.fetch(_RECORDS, robots, KINDS))


async def counted(connection: Connection, moments: Mapping[str, Iterable[int]]) -> dict[str, list[Counted]]:
    """By robot its counters at some moments, and the first that are known."""
    asked = [(robot, at_us) for robot, times in moments.items() for at_us in times]
    robots, times = [robot for robot, _ in asked], [at_us for _, at_us in asked]
    return _counted(await connection.fetch(_COUNTED, robots, times, [*moments]))


async def latest(connection: Connection, robots: Sequence[str]) -> dict[str, list[Counted]]:
    """By robot its counters as they stand."""
    return _counted(await connection.fetch(_LATEST, robots))


def _counted(rows: Iterable[Any]) -> dict[str, list[Counted]]:
    found: dict[str, list[Counted]] = defaultdict(list)
    for row in rows:
        wear = tuple(row["wear"] or ())
        found[row["robot_id"]].append(Counted(row["time_us"], row["runtime_s"], row["cycles"], wear))
    return found


async def robots_with_tasks(connection: Connection) -> list[str]:
    rows = await connection.fetch("SELECT robot_id FROM maintenance_judged ORDER BY robot_id")
    return [row["robot_id"] for row in rows]


async def put(
    connection: Connection,
    found: Mapping[str, Sequence[Due]],
    entries: Mapping[str, int],
    plans_changed: datetime,
    now: datetime,
) -> None:
    """Robots have these tasks and no others."""
    rows = [_row(robot, one) for robot, tasks in found.items() for one in tasks]
    async with connection.transaction():
        await connection.execute(_REMOVE, [*entries])
        await connection.copy_records_to_table("maintenance_task", records=rows, columns=_COLUMNS)
        await connection.execute(_NOTE_READ, [*entries], [*entries.values()], plans_changed, now)


async def tasks(connection: Connection, robots: Sequence[str]) -> list[tuple[str, Due]]:
    """As they were judged last."""
    return [(row["robot_id"], _due(row)) for row in await connection.fetch(_TASKS, robots)]


async def judge(
    connection: Connection, robots: Sequence[str], changed: Sequence[tuple[str, Clock, Standing]], now: datetime
) -> None:
    """These stand otherwise by now."""
    rows = [
        (robot, one.planned or 0, one.task, one.component, by_now.state.value, by_now.used, by_now.overdue_since_us)
        for robot, one, by_now in changed
    ]
    async with connection.transaction():
        if rows:
            await connection.execute(_JUDGE, *(list(column) for column in zip(*rows, strict=True)))
        await connection.execute(_NOTE_JUDGED, robots, now)


def _row(robot: str, of: Due) -> tuple[Any, ...]:
    marks = (of.date_us, of.runtime_s, of.cycles, of.wear)
    return (
        robot, of.task, of.component, of.planned or 0, of.text, _time(of.since_us), of.since, _time(of.done_us),
        of.done, of.is_closed, *(mark and [mark.begun, mark.due, mark.late] for mark in marks), of.state.value,
        of.used, _time(of.overdue_since_us),
    )  # fmt: skip


def _due(row: Any) -> Due:
    return Due(
        task=row["task"],
        component=row["component"],
        text=row["text"],
        planned=row["planned"] or None,
        since_us=row["since_us"],
        since=row["since"],
        done_us=row["done_us"],
        done=row["done"],
        is_closed=row["closed"],
        date_us=_mark(row["date_us"]),
        runtime_s=_mark(row["runtime_s"]),
        cycles=_mark(row["cycles"]),
        wear=_mark(row["wear"]),
        state=State(row["state"]),
        used=row["used"],
        overdue_since_us=row["overdue_since_us"],
    )


def _mark(values: list[float] | None) -> Mark | None:
    return Mark(*values) if values else None


def _time(us: int | None) -> datetime | None:
    return None if us is None else _EPOCH + timedelta(microseconds=us)
