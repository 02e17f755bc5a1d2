"""A signal of a robot over time, for a chart: from raw frames, vitals or hours, by how wide the range is.

In: an asyncpg connection, a robot, a signal and a range. Out: columns of at most so many points, with an envelope,
gaps as nulls, limits and baselines. Called by the page and the API.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from statistics import median
from typing import Any

import asyncpg
import msgspec

from schemas.errors import SettingError
from schemas.limits import MODEL_LENGTH, Limits
from schemas.signals import SIGNAL, Component, Limit, Signal, Statistic
from serve import figures
from serve.database import ask

POINTS_AT_MOST = 2000
ENVELOPES_AT_MOST = 6
HOUR_US = 3_600_000_000


class Resolution(StrEnum):
    """Where a chart's points come from, the finest first."""

    RAW = "raw"
    VITALS = "vitals"
    HOURLY = "hourly"


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """One entry a point of the series; None where nothing came. `joint` 0 where the signal is not a joint's.

    `value` is the series' statistic; `low` and `high` bound what was in the point, and are empty where more than
    ENVELOPES_AT_MOST joints were asked for. `baseline`: what the latest episode about it was compared with, None
    where none was.
    """

    joint: int
    value: list[float | None]
    low: list[float | None]
    high: list[float | None]
    baseline: float | None = None


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """`time_us`: where each point begins (it lasts `step_us`), and `count`: its frames.

    Where nothing came for longer than between its other rows (`_gap_us`), a point of nought frames and of nulls
    stands, so that a line breaks there.
    """

    robot_id: str
    signal: str
    unit: str
    statistic: str
    resolution: Resolution
    start_us: int
    end_us: int
    step_us: int
    time_us: list[int]
    count: list[int]
    curves: list[Curve]
    above: Limit | None
    below: Limit | None


# The widest range that each is good for. A day of vitals is 8640 windows of 10 s; raw may be 50 frames a second.
_WIDEST = {Resolution.RAW: timedelta(hours=1), Resolution.VITALS: timedelta(days=2)}
_STEPS = tuple(
    timedelta(seconds=seconds)
    for seconds in (
        0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800,
        21_600, 43_200, 86_400, 172_800, 604_800, 2_592_000, 31_536_000,
    )
)  # fmt: skip
_SAYS_MOST = (Statistic.MEAN, Statistic.LAST, Statistic.RMS, Statistic.MAX, Statistic.MIN)
_OVER_FRAMES = {
    Statistic.LAST: "avg({0})",
    Statistic.MEAN: "avg({0})",
    Statistic.MIN: "min(lowest_{1})",
    Statistic.MAX: "max(highest_{1})",
    Statistic.RMS: "sqrt(avg({0} * {0}))",
}
_SIDES = {Statistic.MIN: "lowest", Statistic.MAX: "highest"}
# What is not rolled up yet, the hour that is running above all, comes from vitals.
_FROM = {
    Resolution.RAW: "SELECT time AS at, 1 AS frames, {columns} FROM frame "
    "WHERE robot_id = $1 AND time >= $2 AND time < $3",
    Resolution.VITALS: "SELECT start AS at, frames, {columns} FROM vitals "
    "WHERE robot_id = $1 AND start >= $2 AND start < $3",
    Resolution.HOURLY: "SELECT start AS at, frames, {columns} FROM vitals_hourly "
    "WHERE robot_id = $1 AND start >= $2 AND start < $3 "
    "UNION ALL SELECT start, frames, {columns} FROM vitals "
    "WHERE robot_id = $1 AND start >= greatest($2, (SELECT rolled_until FROM hourly_state)) AND start < $3",
}
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def finest_first(width: timedelta) -> list[Resolution]:
    """What answers a range of that width, and what is coarser, for where the finer is not kept any more."""
    return [r for r in Resolution if r not in _WIDEST or width <= _WIDEST[r]]


def step_of(width: timedelta, points: int) -> timedelta:
    """The shortest even step of which not more than `points` and one make the range."""
    return next((step for step in _STEPS if points * step >= width), _STEPS[-1])


async def series(
    connection: asyncpg.Connection,
    code: str,
    signal: str,
    joints: Sequence[int],
    start: datetime,
    end: datetime,
    points: int = 1000,
    statistic: Statistic | None = None,
    limits: Limits | None = None,
) -> Series:
    """`joints` count from 1, one curve each, and are empty where the signal is not a joint's; for a joint's signal
    empty means all of them. `statistic` None: the one that says most of a course (mean, else last, rms, max).
    `limits`: those of models, None for the signal table's.

    A range that frames (or vitals) are not kept of any more is answered from what is coarser. Raises SettingError
    for a signal, statistic, joint or range that is none, and for `points` outside 1..POINTS_AT_MOST.
    """
    known, chosen = _checked(signal, joints, statistic)
    if start >= end or not 1 <= points <= POINTS_AT_MOST:
        raise SettingError(f"give a start before its end, and 1 to {POINTS_AT_MOST} points")
    slots = list(joints) or await _joints(connection, code, known)
    step = step_of(end - start, points)
    resolution, rows = await _finest(connection, known, slots, chosen, (code, start, end, step))
    model, step_us = code[:MODEL_LENGTH], step // timedelta(microseconds=1)
    baselines = {
        row["component"]: row["baseline"] for row in await ask(connection, "series_baselines", code, signal)
    }
    with_gaps = _with_gaps(rows, resolution, step_us)
    limits = limits or Limits()
    return Series(
        robot_id=code,
        signal=signal,
        unit=known.unit,
        statistic=chosen,
        resolution=resolution,
        start_us=_microseconds(start),
        end_us=_microseconds(end),
        step_us=step_us,
        time_us=[row["time_us"] for row in with_gaps],
        count=[row["frames"] for row in with_gaps],
        curves=[
            _curve(with_gaps, at, joint, baselines.get(_component(known, joint))) for at, joint in enumerate(slots)
        ],
        above=limits.limit(model, signal, "above"),
        below=limits.limit(model, signal, "below"),
    )


def _checked(signal: str, joints: Sequence[int], statistic: Statistic | None) -> tuple[Signal, Statistic]:
    known = SIGNAL.get(signal)
    if known is None:
        raise SettingError(f"{signal[:60]!r} is not a signal: docs/signals.md lists them")
    if any(not 1 <= joint <= 1000 for joint in joints) or (joints and known.component is not Component.JOINT):
        raise SettingError(
            f"{signal} of joints {list(joints)[:5]}: joints count from 1, and only joints' signals have"
        )
    if statistic is None:
        return known, next(kept for kept in _SAYS_MOST if kept in known.statistics)
    if statistic not in known.statistics:
        raise SettingError(f"{signal} is kept as {', '.join(known.statistics)}, not {statistic}")
    return known, statistic


async def _joints(connection: asyncpg.Connection, code: str, signal: Signal) -> list[int]:
    """All that the robot's newest window has; none but 0 for what is not a joint's."""
    if signal.component is not Component.JOINT:
        return [0]
    column = f"{signal.name}_{signal.statistics[0]}"
    rows = await ask(connection, "series_joints", code, column=column)
    return list(range(1, max((row["joints"] for row in rows), default=0) + 1))


async def _finest(
    connection: asyncpg.Connection,
    signal: Signal,
    slots: Sequence[int],
    statistic: Statistic,
    asked: tuple[str, datetime, datetime, timedelta],
) -> tuple[Resolution, list[asyncpg.Record]]:
    """From where it comes, and its rows."""
    resolution, rows = Resolution.RAW, list[asyncpg.Record]()
    for resolution in finest_first(asked[2] - asked[1]):
        rows = await _rows(connection, resolution, signal, slots, statistic, asked)
        if rows:
            break
    return resolution, rows


async def _rows(
    connection: asyncpg.Connection,
    resolution: Resolution,
    signal: Signal,
    slots: Sequence[int],
    statistic: Statistic,
    asked: tuple[Any, ...],
) -> list[asyncpg.Record]:
    if not slots:
        return []
    envelope = len(slots) <= ENVELOPES_AT_MOST
    low = Statistic.MIN if Statistic.MIN in signal.statistics else statistic
    high = Statistic.MAX if Statistic.MAX in signal.statistics else statistic
    if resolution is Resolution.RAW:
        sides = {statistic} & _SIDES.keys() | (_SIDES.keys() if envelope else set())
        columns = [signal.name, *(_side(signal.name, joint, side) for side in sorted(sides) for joint in slots)]
        value, lows, highs = (
            [_OVER_FRAMES[kept].format(_at(signal.name, joint), joint) for joint in slots]
            for kept in (statistic, Statistic.MIN, Statistic.MAX)
        )
    else:
        columns = sorted({f"{signal.name}_{kept}" for kept in (statistic, low, high)})
        value = [figures.of_signal(signal.name, joint, statistic) for joint in slots]
        lows = [f"min({_at(f'{signal.name}_{low}', joint)})" for joint in slots]
        highs = [f"max({_at(f'{signal.name}_{high}', joint)})" for joint in slots]
    return await ask(
        connection, "series", *asked,
        rows=_FROM[resolution].format(columns=", ".join(columns)), value=", ".join(value),
        low=", ".join(lows) if envelope else "", high=", ".join(highs) if envelope else "",
    )  # fmt: skip


def _side(signal: str, joint: int, statistic: Statistic) -> str:
    """A frame's lowest or highest reading: of a frame that is no mean of several, its one reading."""
    side = _SIDES[statistic]
    found = f"extreme({side}, extremes_layout, '{signal}', {joint})"
    return f"CASE WHEN extremes_layout IS NULL THEN {_at(signal, joint)} ELSE {found} END AS {side}_{joint}"


def _at(column: str, joint: int) -> str:
    return f"{column}[{joint}]" if joint else column


def _component(signal: Signal, joint: int) -> str:
    return f"{signal.component}/{joint}" if joint else str(signal.component)


def _with_gaps(rows: Sequence[Any], resolution: Resolution, step_us: int) -> list[Any]:
    """With a point of nothing wherever nothing came for too long."""
    between = [after["first_us"] - before["last_us"] for before, after in pairwise(rows)]
    tolerance_us = _gap_us(between, resolution)
    filled: list[Any] = list(rows[:1])
    for space_us, row in zip(between, rows[1:], strict=True):
        if space_us > tolerance_us:
            at_us = filled[-1]["time_us"] + step_us
            filled.append({"time_us": min(at_us, row["time_us"] - 1), "frames": 0})
        filled.append(row)
    return filled


def _gap_us(between: Sequence[int], resolution: Resolution) -> float:
    """Of hours none may miss. Frames and windows come as often as their robot sends: one may miss, two not."""
    if resolution is Resolution.HOURLY:
        return 1.5 * HOUR_US
    return 2.5 * median(between) if between else 0


def _curve(rows: Sequence[Any], at: int, joint: int, baseline: float | None) -> Curve:
    def column(name: str) -> list[float | None]:
        return [row[name][at] if row["frames"] else None for row in rows]

    envelope = bool(rows) and len(rows[0]["low"]) > 0
    return Curve(
        joint=joint,
        value=column("value"),
        low=column("low") if envelope else [],
        high=column("high") if envelope else [],
        baseline=baseline,
    )


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)
