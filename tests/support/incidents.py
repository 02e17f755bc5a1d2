"""Incidents in a database: a robot's frames and hours as a scenario has them, a fleet around it, faults."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import msgspec
import numpy as np

from deploy.evaluate.incidents.scenarios import Kind, make
from processors.incident.case import Case, Float64
from processors.incident.rows import FRAME_COLUMNS, PAST_COLUMNS
from processors.incident.verdict import assess
from schemas.entry import encode_record
from schemas.incident import Verdict
from schemas.robot_code import make_code
from schemas.signals import SIGNAL, Component
from support.logbooks import PLATFORM, REGISTERED, Writer

CODE = make_code("ZZ", "TEST", "MODEL1", "1")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ALWAYS = {"mono_us": 0, "backfill": False, "scenario": ""}


def plain(kind: Kind, verdict: Verdict) -> Case:
    """An incident of that cause that is plain, with an alarm by which others can be compared."""
    cases = (make(kind, seed) for seed in range(200))
    return next(case for case in cases if case.alarms and case.fleet and assess(case).verdict is verdict)


def time_of(us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=int(us))


async def add_robot(connection: asyncpg.Connection, code: str = CODE) -> None:
    await connection.execute("INSERT INTO robot VALUES ($1, $2) ON CONFLICT DO NOTHING", code, time_of(0))


async def add_registered(connection: asyncpg.Connection, code: str = CODE) -> None:
    """A logbook of one entry, by the platform, of a year before `scenarios.AT_US`."""
    record = Writer(code).write(REGISTERED, PLATFORM)
    entry = record.signed.entry
    await connection.execute(
        "INSERT INTO logbook_entry (robot_id, number, entry_id, kind, author, happened, written, received,"
        " record) VALUES ($1, 1, $2, 'registered', $3, $4, $4, $4, $5)",
        code, entry.id, entry.author, time_of(entry.happened_us), encode_record(record),
    )  # fmt: skip


async def add_frames(
    connection: asyncpg.Connection, first: datetime, seqs: Sequence[int], code: str = CODE, mode: int = 1
) -> None:
    """Ten a second from `first`, which has number 0."""
    rows = []
    for seq in seqs:
        at = first + timedelta(seconds=seq / 10)
        rows.append((code, at, seq, 7, 0, at, mode, False, "", "1", [1.0, 2.0], 0.5))
    await connection.copy_records_to_table(
        "frame",
        records=rows,
        columns=["robot_id", "time", "seq", "boot_id", "mono_us", "received", "mode", "backfill", "scenario",
                 "software", "joint_velocity_rad_s", "battery_soc"],
    )  # fmt: skip


async def add_fault(
    connection: asyncpg.Connection, at: datetime, episode_id: str = "fault", code: str = CODE, live: bool = True
) -> None:
    """As the lander adds what the assessor tells of a robot whose mode became fault."""
    await connection.execute(
        "INSERT INTO anomaly (episode_id, number, robot_id, episode, transition, rule, rule_version, component,"
        " signal, status, unit, first_time, last_time, count, live, software, scenario, text)"
        " VALUES ($1, 1, $2, 1, 'opened', 'mode', 1, 'robot', '', 'FAILURE', '', $3, $3, 1, $4, '1', '', '')",
        episode_id, code, at, live,
    )  # fmt: skip


async def add_case(connection: asyncpg.Connection, case: Case, code: str = CODE) -> None:
    """Its frames, hours, alarms and zones, as they would have landed."""
    await add_robot(connection, code)
    await _copy(connection, "frame", [{**row, **_ALWAYS, "robot_id": code} for row in _frames(case)])
    await _copy(connection, "vitals_hourly", [{**row, "robot_id": code} for row in _hours(case)])
    for number, alarm in enumerate(case.alarms):
        await add_alarm(connection, code, f"{code}-{number}", alarm.component, alarm.signal, alarm.opened_us)
    components = [{"component": b.component, "status": "NORMAL", "zone": b.zone} for b in case.before]
    await connection.execute(
        "INSERT INTO health_history VALUES ($1, $2, 'NORMAL', 'A', $3::jsonb)",
        code, time_of(case.at_us) - timedelta(days=2), _json(components),
    )  # fmt: skip


async def add_alarm(
    connection: asyncpg.Connection, code: str, episode_id: str, component: str, signal: str, opened_us: int
) -> None:
    """Of the machine, and still active."""
    opened = time_of(opened_us)
    await connection.execute(
        "INSERT INTO anomaly (episode_id, number, robot_id, episode, transition, rule, rule_version, component,"
        " signal, status, unit, first_time, last_time, count, live, software, scenario, text)"
        " VALUES ($1, 1, $2, 1, 'opened', 'drift', 1, $3, $4, 'OFF_SPEC', '', $5, $5, 1, true, '1', '', '')",
        episode_id, code, component, signal, opened,
    )  # fmt: skip
    await connection.execute(
        "INSERT INTO episode (episode_id, robot_id, episode, rule, rule_version, component, signal, about, status,"
        " state, active, chattering, parent, cause, opened, last_sign, transitions, count, live, unit, software,"
        " scenario, text, actor, note) VALUES ($1, $2, 1, 'drift', 1, $3, $4, 'machine', 'OFF_SPEC',"
        " 'unacknowledged_active', true, false, '', '', $5, $5, 1, 1, true, '', '1', '', '', '', '')",
        episode_id, code, component, signal, opened,
    )  # fmt: skip


async def add_neighbours(
    connection: asyncpg.Connection,
    case: Case,
    software: str,
    robots: int,
    affected: int,
    part: str,
    state: str = "",
) -> None:
    """So many others of the model on a version, of which the first ones show the same; all stand so with grease."""
    hour = time_of(case.at_us) - timedelta(hours=2)
    signal = case.alarms[0].signal if case.alarms else "joint_tracking_error_rad"
    for number in range(robots):
        code = make_code("ZZ", "TEST", "MODEL1", f"{software.replace('.', '')}{state[-1:].upper()}{number:04d}")
        await add_robot(connection, code)
        await _copy(connection, "vitals_hourly", [{**_hour(hour, software, ""), "robot_id": code}])
        if number < affected:
            await add_alarm(connection, code, code, part, signal, case.at_us - 3_600_000_000)
        if state:
            await connection.execute(
                "INSERT INTO maintenance_task (robot_id, task, component, planned, text, closed, state)"
                " VALUES ($1, 'grease', $2, 0, '', false, $3)",
                code, part, state,
            )  # fmt: skip


def _frames(case: Case) -> list[dict[str, Any]]:
    window = case.window
    rows = []
    for at, time_us in enumerate(window.time_us):
        readings = _readings({channel: values[at] for channel, values in window.readings.items()}, "{}")
        fixed = {"time": time_of(time_us), "received": time_of(time_us), "software": case.past.software[-1]}
        numbers = {name: int(getattr(window, name)[at]) for name in ("seq", "boot_id", "mode")}
        rows.append({**fixed, **numbers, **{n: v for n, v in readings.items() if n in FRAME_COLUMNS}})
    return rows


def _hours(case: Case) -> list[dict[str, Any]]:
    past = case.past
    known = set(PAST_COLUMNS.split(", "))
    rows = []
    for at, hour_us in enumerate(past.hour_us):
        row = _hour(time_of(hour_us), past.software[at], past.work[at])
        for form, values in (("{}_max", past.highest), ("{}_rms", past.level), ("{}_mean", past.level)):
            row |= _readings({channel: series[at] for channel, series in values.items()}, form)
        rows.append({name: value for name, value in row.items() if name in known or name in _hour_names()})
    return rows


def _hour(start: datetime, software: str, work: str) -> dict[str, Any]:
    return {
        "start": start, "windows": 360, "seen_s": 3600.0, "frames": 3600, "missing": 0, "fault_frames": 0,
        "backfill_frames": 0, "boots": 1, "last_time": start + timedelta(minutes=59), "received": start, "mode": 1,
        "software": software, "scenario": work,
    }  # fmt: skip


def _hour_names() -> set[str]:
    return set(_hour(_EPOCH, "", ""))


def _readings(values: dict[tuple[str, str], Float64], form: str) -> dict[str, Any]:
    """Of joints one array a signal."""
    found: dict[str, Any] = {}
    for (component, signal), value in values.items():
        number = None if np.isnan(value) else float(value)
        if SIGNAL[signal].component is Component.JOINT:
            joints = found.setdefault(form.format(signal), [])
            joint = int(component.removeprefix("joint/"))
            joints.extend([None] * (joint - len(joints)))
            joints[joint - 1] = number
        else:
            found[form.format(signal)] = number
    return found


async def _copy(connection: asyncpg.Connection, table: str, rows: Sequence[dict[str, Any]]) -> None:
    names = sorted({name for row in rows for name in row})
    records = [tuple(row.get(name) for name in names) for row in rows]
    await connection.copy_records_to_table(table, records=records, columns=names)


def _json(document: object) -> str:
    return msgspec.json.encode(document).decode()
