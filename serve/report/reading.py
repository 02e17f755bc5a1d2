"""What a report is built from, read from the database for whoever asks.

In: a connection that sees what the person may, and a code. Out: `Facts`. Called by the routes, `robovitals
report` and `robovitals bench report`. What may be long (the hours) is summed by the database: what comes here
is a few hundred stretches, however long the life.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import asyncpg
import msgspec

from schemas.entry import Record, readable
from schemas.history import fold
from schemas.limits import MODEL_LENGTH, SIDES, Limits
from serve.database import ask
from serve.logbook_export import Stored
from serve.passport import integrity, with_checkpoint
from serve.report import stories
from serve.report.counters import GAP_US
from serve.report.facts import COUNTERS, Facts, Range, SeenPart, Step, Stretch, Totals
from serve.report.model import Limit
from serve.report.trends import SIGNALS

STRETCHES = 200
"""That a life is drawn in: a curve has a point for each, as many as an A4 page can show."""
STEPS = 2000
HOUR_US = 3_600_000_000
_JOINTS = {"joint_wear": "wear_joints", "joint_backlash_arcmin": "backlash_joints"}
_SCALARS = ("pose_accuracy_mm", "pose_repeatability_mm", "battery_soh")


class Extent(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the robot is known, and what hours there are of it. The joints are those of each signal."""

    known: bool
    first: datetime | None
    last: datetime | None
    wear_joints: int | None
    backlash_joints: int | None


async def audited(connection: asyncpg.Connection, code: str) -> datetime | None:
    """When findings were looked for last. The audit keeps that for itself: ask as ourselves."""
    found = await ask(connection, "report_audited", code)
    return found[0]["audited"] if found else None


async def read_facts(
    connection: asyncpg.Connection,
    code: str,
    now: datetime,
    platforms: frozenset[str],
    limits: Limits,
    looked: datetime | None,
) -> Facts | None:
    """None: nobody knows this robot, or who asks may not see it. `looked`: what `audited` says."""
    (row,) = await ask(connection, "report_extent", code)
    extent = msgspec.convert(dict(row), Extent)
    if not extent.known and extent.first is None:
        return None
    stored, published = await with_checkpoint(connection, code)
    step_us = _step_us(extent, now)
    totals, steps = await _hours(connection, code)
    due = await stories.due(connection, code)
    return Facts(
        robot_id=code,
        now_us=us_of(now),
        history=fold(code, _records(stored)),
        logbook=await integrity(stored, published, platforms),
        totals=totals,
        step_us=step_us,
        stretches=await _stretches(connection, code, extent, step_us),
        steps=steps,
        seen_parts=await _seen_parts(connection, code),
        planned=bool(due),
        audited_us=None if looked is None else us_of(looked),
        due=due,
        usage=await stories.usage(connection, code),
        findings=await stories.findings(connection, code),
        incidents=await stories.incidents(connection, code),
        limits=_limits(limits, code),
    )


def us_of(time: datetime) -> int:
    return round(time.timestamp() * 1e6)


def _step_us(extent: Extent, now: datetime) -> int:
    """Whole hours, so that an hour lies in one stretch."""
    if extent.first is None:
        return HOUR_US
    life_us = us_of(now) - us_of(extent.first)
    return max(1, -(-life_us // (STRETCHES * HOUR_US))) * HOUR_US


def _records(stored: Stored) -> list[Record]:
    """Those that can be read, with what is personal as far as the connection shows it."""
    return readable(stored.file().splitlines()[1 : 1 + len(stored.rows)])[0]


async def _hours(connection: asyncpg.Connection, code: str) -> tuple[Totals | None, tuple[Step, ...]]:
    (row,) = await ask(connection, "report_hours", code, timedelta(microseconds=GAP_US), STEPS)
    if row["first"] is None:
        return None, ()
    ends = {
        end["which"]: {name: end[name] for name in COUNTERS}
        for end in await ask(connection, "report_counters", code)
    }
    nothing: dict[str, int | None] = dict.fromkeys(COUNTERS)
    totals = Totals(
        first_us=us_of(row["first"]),
        last_us=us_of(row["last"]),
        days=row["days"],
        frames=row["frames"],
        missing=row["missing"],
        logged_s=row["logged_s"],
        first=ends.get("first", nothing),
        latest=ends.get("latest", nothing),
        advanced={name: row[name] for name in COUNTERS},
    )
    steps = zip(row["changes"] or (), row["versions"] or (), strict=True)
    return totals, tuple(_step(change, versions) for change, versions in steps)


def _step(change: Sequence[int | None], versions: Sequence[str]) -> Step:
    at_us, before_us, *values = change
    assert at_us is not None
    return Step(
        at_us=at_us,
        before_us=before_us,
        counters=dict(zip(COUNTERS, values[::2], strict=True)),
        counters_before=dict(zip(COUNTERS, values[1::2], strict=True)),
        software=versions[0],
        software_before=versions[1],
    )


async def _stretches(
    connection: asyncpg.Connection, code: str, extent: Extent, step_us: int
) -> tuple[Stretch, ...]:
    joints = {name: getattr(extent, column) or 0 for name, column in _JOINTS.items()}
    asked = "".join(_extremes(name, count) for name, count in joints.items() if count)
    step = timedelta(microseconds=step_us)
    rows = await ask(connection, "report_stretches", code, step, joints=asked) if extent.first else []
    return tuple(_stretch(row, joints) for row in rows)


def _extremes(name: str, joints: int) -> str:
    """Of each joint the lowest and the highest of its stretch, as a column of that name."""
    pairs = ", ".join(f"min({name}_last[{j}]), max({name}_max[{j}])" for j in range(1, joints + 1))
    return f", ARRAY[{pairs}]::float8[] AS {name}"


def _stretch(row: asyncpg.Record, joints: Mapping[str, int]) -> Stretch:
    scalars = _ranges(row["scalars"])
    signals: dict[str, tuple[Range, ...]] = {name: (one,) for name, one in zip(_SCALARS, scalars, strict=True)}
    signals |= {name: tuple(_ranges(row[name])) for name, count in joints.items() if count}
    return Stretch(
        start_us=row["start_us"],
        counters=dict(zip(COUNTERS, _ranges(row["counters"]), strict=True)),
        signals={name: signals[name] for name in SIGNALS if name in signals},
    )


def _ranges(values: Sequence[float | None]) -> list[Range]:
    return [Range(low, high) for low, high in zip(values[::2], values[1::2], strict=True)]


async def _seen_parts(connection: asyncpg.Connection, code: str) -> tuple[SeenPart, ...]:
    return tuple(
        SeenPart(
            component=row["component"],
            serial=row["serial"],
            first_us=us_of(row["first"]),
            last_us=us_of(row["last"]),
        )
        for row in await ask(connection, "report_parts", code)
    )


def _limits(limits: Limits, code: str) -> dict[str, tuple[Limit, ...]]:
    """Those of the signals that are drawn, as this robot's model is judged by."""
    found: dict[str, tuple[Limit, ...]] = {}
    for name in SIGNALS:
        both = [
            Limit(level=level, side=side, value=getattr(limit, level))
            for side in SIDES
            if (limit := limits.limit(code[:MODEL_LENGTH], name, side)) is not None
            for level in ("warn", "alarm")
        ]
        if both:
            found[name] = tuple(both)
    return found
