"""What an audit reads and writes, in SQL. Called by `processors/auditing.py`.

A robot's hours come as one row: its numbers as the bytes of PostgreSQL's binary arrays. Of joints every third hour
is read; their levels are those of days.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeAlias

import asyncpg
import msgspec
import numpy as np

from processors.audit.context import nothing
from processors.audit.found import Evidence, Finding
from processors.audit.levels import Levels, levels
from processors.logbooks import by_robot
from processors.rows import unpacked
from schemas.columns import ABSENT, Float32, Int64, Texts
from schemas.entry import Record
from schemas.hours import Elsewhere, Hours, Joints, Sighting
from schemas.logbook import Scrapped, kind_name

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

_US = "(extract(epoch FROM {}) * 1000000)::bigint"
_TIME = "to_timestamp(0) + {}::bigint * interval '1 us'"
_HEAD_BYTES, _LENGTH_BYTES = 28, 4  # of a binary array of two dimensions; before each element

_LOCK = 0x6175646974  # any number that nobody else uses: "audit"

# `is_whole`: all of its life is to be looked at, for something in it is new, or it was not for a month.
_DUE = """
SELECT robot.robot_id, state.until, coalesce(head.entries, 0) AS entries, coalesce(seen.runs, 0) AS sightings,
    hourly_state.rolled_until,
    state.robot_id IS NULL OR state.entries <> coalesce(head.entries, 0)
    OR state.sightings <> coalesce(seen.runs, 0)
    OR EXISTS (SELECT FROM audit_late WHERE audit_late.robot_id = robot.robot_id)
    OR state.whole < $1::timestamptz - interval '30 days' - abs(hashtext(robot.robot_id)) % 10 * interval '1 day'
        AS is_whole
FROM robot CROSS JOIN hourly_state
LEFT JOIN audit_state AS state USING (robot_id)
LEFT JOIN logbook_head AS head USING (robot_id)
LEFT JOIN (SELECT robot_id, count(*)::integer AS runs FROM part_seen GROUP BY robot_id) AS seen USING (robot_id)
WHERE ($2::text[] IS NULL OR robot.robot_id = ANY ($2))
ORDER BY robot.robot_id"""

_INTEGERS = {
    "start_us": _US.format("start"),
    "last_us": _US.format("last_time"),
    "received_us": _US.format("received"),
    "boots": "boots",
    "runtime_s": f"coalesce(runtime_s, {ABSENT})",
    "energy_wh": f"coalesce(energy_wh, {ABSENT})",
    "cycles": f"coalesce(cycles, {ABSENT})",
    "seen_ms": "(seen_s * 1000)::bigint",
    "active_ms": f"coalesce((active_s * 1000)::bigint, {ABSENT})",
}
# The outer bound is a constant of the query, so that chunks of other times are not opened.
_HOURS = f"""
SELECT told.robot_id, packed.*
FROM unnest($1::text[], $2::timestamptz[]) AS told (robot_id, since)
CROSS JOIN LATERAL (
    SELECT array_send(array_agg(ARRAY[{", ".join(_INTEGERS.values())}]::bigint[])) AS integers,
        array_agg(software) AS software, array_agg(scenario) AS scenario
    FROM (SELECT * FROM vitals_hourly
          WHERE robot_id = told.robot_id AND start >= told.since AND start >= $3 ORDER BY start) AS hour
) AS packed
WHERE packed.integers IS NOT NULL"""  # noqa: S608

_PACKED = "array_agg(array_send(array_replace({0}, NULL, 'NaN')))"
_JOINTS = f"""
SELECT told.robot_id, packed.*
FROM unnest($1::text[], $2::timestamptz[]) AS told (robot_id, since)
CROSS JOIN LATERAL (
    SELECT array_agg({_US.format("start")}) AS start_us,
        {_PACKED.format("joint_wear_last")} AS wear, {_PACKED.format("joint_backlash_arcmin_mean")} AS backlash,
        {_PACKED.format("joint_current_a_rms")} AS friction,
        array_agg(battery_soh_last) AS soh, array_agg(battery_resistance_mohm_mean) AS resistance
    FROM (SELECT * FROM vitals_hourly
          WHERE robot_id = told.robot_id AND start >= told.since AND start >= $3
            AND extract(hour FROM start AT TIME ZONE 'UTC')::integer % 3 = 1 ORDER BY start) AS hour
) AS packed
WHERE packed.start_us IS NOT NULL"""  # noqa: S608

_SIGHTINGS = f"""
SELECT robot_id, component, serial, {_US.format("first")} AS first_us, {_US.format("last")} AS last_us
FROM part_seen WHERE robot_id = ANY ($1) ORDER BY robot_id, component, first"""  # noqa: S608

# A serial of one character again and again is none.
_ELSEWHERE = f"""
SELECT both_.robot_id, component, serial, other, {_US.format("first")} AS first_us, {_US.format("last")} AS last_us,
    (SELECT count(*) FROM vitals_hourly AS hour
     WHERE hour.robot_id = other AND hour.start >= date_trunc('hour', both_.first) AND hour.start <= both_.last
       AND hour.last_time BETWEEN both_.first AND both_.last
       AND abs(extract(epoch FROM hour.received - hour.last_time)) <= 600) AS hours
FROM (
    SELECT own.robot_id, own.component, own.serial, other.robot_id AS other,
        greatest(own.first, other.first) AS first, least(own.last, other.last) AS last
    FROM part_seen AS own
    JOIN part_seen AS other ON other.serial = own.serial AND other.robot_id <> own.robot_id
        AND other.first < own.last AND own.first < other.last
    WHERE own.robot_id = ANY ($1) AND own.serial !~ '^(.)\\1*$' AND own.serial <> ''
) AS both_"""  # noqa: S608

_RECORDS = "SELECT robot_id, record FROM logbook_entry WHERE robot_id = ANY ($1) ORDER BY robot_id, number"
_SCRAPPED = f"""
SELECT DISTINCT robot_id FROM logbook_entry
WHERE kind = '{kind_name(Scrapped)}' AND robot_id = ANY ($1)"""  # noqa: S608 - a constant
_OPEN = f"""
SELECT finding_id, robot_id, rule, component, {_US.format("first")} AS first_us, {_US.format("last")} AS last_us
FROM finding WHERE robot_id = ANY ($1) AND closed IS NULL"""  # noqa: S608
_PUT = f"""
INSERT INTO finding (finding_id, robot_id, rule, component, confidence, first, last, found, evidence_for,
    evidence_against, text)
VALUES ($1, $2, $3, $4, $5, {_TIME.format("$6")}, {_TIME.format("$7")}, $8, $9::text::jsonb, $10::text::jsonb, $11)
ON CONFLICT (finding_id) DO UPDATE SET confidence = excluded.confidence, last = excluded.last,
    evidence_for = excluded.evidence_for, evidence_against = excluded.evidence_against, text = excluded.text,
    closed = NULL, closed_because = ''
WHERE (finding.confidence, finding.last, finding.evidence_for, finding.evidence_against, finding.text,
        finding.closed)
    IS DISTINCT FROM (excluded.confidence, excluded.last, excluded.evidence_for, excluded.evidence_against,
        excluded.text, NULL::timestamptz)"""  # noqa: S608
_CLOSE = "UPDATE finding SET closed = $2, closed_because = $3 WHERE finding_id = ANY ($1) AND closed IS NULL"
_STATE = """
INSERT INTO audit_state (robot_id, until, audited, whole, entries, sightings, context)
VALUES ($1, $2, $3, $3, $4, $5, $6)
ON CONFLICT (robot_id) DO UPDATE SET until = excluded.until, audited = excluded.audited,
    whole = CASE WHEN $7 THEN excluded.whole ELSE audit_state.whole END, entries = excluded.entries,
    sightings = excluded.sightings, context = excluded.context"""


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """A robot to audit. `until` None: it never was."""

    robot_id: str
    until: datetime | None
    entries: int
    sightings: int
    rolled_until: datetime
    is_whole: bool


class Open(msgspec.Struct, frozen=True, kw_only=True):
    """A finding that stands."""

    finding_id: str
    robot_id: str
    rule: str
    component: str
    first_us: int
    last_us: int


async def is_ours(connection: Connection) -> bool:
    """Whether nobody else audits."""
    return bool(await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK))


async def due(connection: Connection, now: datetime, robots: Sequence[str] | None) -> list[Due]:
    return [Due(**row) for row in await connection.fetch(_DUE, now, robots)]


async def contexts(connection: Connection, robots: Sequence[str]) -> dict[str, bytes]:
    rows = await connection.fetch("SELECT robot_id, context FROM audit_state WHERE robot_id = ANY ($1)", robots)
    return {row["robot_id"]: row["context"] for row in rows}


async def lives(
    connection: Connection, robots: Sequence[str], since: Sequence[datetime]
) -> dict[str, tuple[Hours, Levels]]:
    """Hours of robots from a time on, and the levels of their days; none for those without any."""
    earliest = min(since)
    rows = await connection.fetch(_HOURS, robots, since, earliest)
    joints = {row["robot_id"]: row for row in await connection.fetch(_JOINTS, robots, since, earliest)}
    return {row["robot_id"]: _life(row, joints.get(row["robot_id"])) for row in rows}


async def sightings(connection: Connection, robots: Sequence[str]) -> dict[str, list[Sighting]]:
    found: dict[str, list[Sighting]] = defaultdict(list)
    for row in await connection.fetch(_SIGHTINGS, robots):
        fields = {name: row[name] for name in Sighting.__struct_fields__}
        found[row["robot_id"]].append(Sighting(**fields))
    return found


async def elsewhere(connection: Connection, robots: Sequence[str]) -> dict[str, list[Elsewhere]]:
    found: dict[str, list[Elsewhere]] = defaultdict(list)
    for row in await connection.fetch(_ELSEWHERE, robots):
        found[row["robot_id"]].append(
            Elsewhere(
                component=row["component"], serial=row["serial"], robot_id=row["other"], first_us=row["first_us"],
                last_us=row["last_us"], hours=row["hours"],
            )
        )  # fmt: skip
    return found


async def records(connection: Connection, robots: Sequence[str]) -> dict[str, list[Record]]:
    """Whole logbooks, without what cannot be read."""
    return by_robot(robots, await connection.fetch(_RECORDS, robots))


async def scrapped(connection: Connection, robots: Sequence[str]) -> set[str]:
    return {row["robot_id"] for row in await connection.fetch(_SCRAPPED, robots)}


async def open_findings(connection: Connection, robots: Sequence[str]) -> dict[str, list[Open]]:
    found: dict[str, list[Open]] = defaultdict(list)
    for row in await connection.fetch(_OPEN, robots):
        found[row["robot_id"]].append(Open(**row))
    return found


async def put(connection: Connection, findings: Sequence[tuple[str, Finding]], now: datetime) -> None:
    """Findings under these ids; one that stands already is brought up to date."""
    rows = [
        (
            finding_id, one.robot_id, one.rule.value, one.component, one.confidence.value, one.first_us,
            one.last_us, now, _json(one.evidence_for), _json(one.evidence_against), one.text,
        )
        for finding_id, one in findings
    ]  # fmt: skip
    await connection.executemany(_PUT, rows)


def _json(evidence: Sequence[Evidence]) -> str:
    return msgspec.json.encode(evidence).decode()


async def close(connection: Connection, ids: Sequence[str], now: datetime, because: str) -> None:
    await connection.execute(_CLOSE, ids, now, because)


async def finish(connection: Connection, done: Sequence[tuple[Due, bytes]], now: datetime) -> None:
    """These robots have been audited."""
    rows = [
        (one.robot_id, one.rolled_until, now, one.entries, one.sightings, context, one.is_whole)
        for one, context in done
    ]
    await connection.executemany(_STATE, rows)


async def begin(connection: Connection, chunk: Sequence[Due]) -> None:
    """Before their hours are read: what comes late from now on is late for the next time."""
    whole = [one.robot_id for one in chunk if one.is_whole]
    await connection.execute("DELETE FROM audit_late WHERE robot_id = ANY ($1)", whole)


def _life(row: Any, of_joints: Any) -> tuple[Hours, Levels]:
    matrix = _matrix(row["integers"], len(_INTEGERS))
    columns = dict(zip(_INTEGERS, matrix.T, strict=True))
    active_ms = columns.pop("active_ms")
    hours = Hours(
        seen_s=(columns.pop("seen_ms") / 1000).astype(np.float32),
        active_s=np.where(active_ms == ABSENT, np.nan, active_ms / 1000).astype(np.float32),
        software=Texts.of(row["software"]),
        scenario=Texts.of(row["scenario"]),
        **{name: np.ascontiguousarray(values) for name, values in columns.items()},
    )
    if of_joints is None:
        return hours, nothing()[1]
    at = np.searchsorted(hours.start_us, of_joints["start_us"])
    names = ("wear", "backlash", "friction")
    most = max(_size(one) for name in names for one in of_joints[name])
    wear, backlash, friction = (_joint_matrix(of_joints[name], most) for name in names)
    soh, resistance = (_numbers(of_joints[name]) for name in ("soh", "resistance"))
    return hours, levels(hours, Joints(wear, backlash, friction, soh, resistance), at)


def _matrix(data: bytes, columns: int) -> Int64:
    elements = np.frombuffer(data, np.uint8)[_HEAD_BYTES:].reshape(-1, _LENGTH_BYTES + 8)
    packed = np.ascontiguousarray(elements[:, _LENGTH_BYTES:])
    return packed.view(">i8").astype(np.int64).reshape(-1, columns)


def _size(packed: bytes | None) -> int:
    return 0 if packed is None or len(packed) < 20 else (len(packed) - 20) // (_LENGTH_BYTES + 4)


def _joint_matrix(column: Sequence[bytes | None], joints: int) -> Float32:
    matrix = np.full((len(column), joints), np.nan, np.float32)
    sizes = np.array([_size(one) for one in column])
    for size in np.unique(sizes[sizes > 0]).tolist():
        rows = np.nonzero(sizes == size)[0]
        matrix[rows, :size] = unpacked([column[row] or b"" for row in rows.tolist()], np.dtype(np.float32))
    return matrix


def _numbers(column: Sequence[float | None]) -> Float32:
    return np.array([np.nan if one is None else one for one in column], np.float32)
