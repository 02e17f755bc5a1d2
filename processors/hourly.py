"""Windows of an hour to one row: what stays of vitals for life. Pure.

In: rows of `vitals`, selected by `VITALS_COLUMNS` and sorted by `VITALS_ORDER`. Out: rows of `vitals_hourly`, by
`HOURLY_COLUMNS`. Called by `processors/roll.py`.

Of an hour's windows the last value that is one, the lowest, the highest; means are weighted by their windows'
frames, and so are the squares of rms. Numbers come as the bytes of PostgreSQL's binary arrays, as in
`processors/rows.py`.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from processors.rows import HEAD_BYTES, LENGTH_BYTES, MICROSECONDS, PACKED, unpacked
from schemas.columns import ABSENT
from schemas.signals import COUNTERS, MODES, SIGNALS, Component, Signal, Statistic

Row = Any  # of asyncpg, or a dictionary
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

HOUR_US = 3_600_000_000
ACTIVE = [MODES.index("working"), MODES.index("teleoperated")]


def _columns(is_joint: bool) -> dict[str, Statistic]:
    def chosen(signal: Signal) -> bool:
        return (signal.component is Component.JOINT) == is_joint

    return {f"{signal.name}_{kept}": kept for signal in SIGNALS if chosen(signal) for kept in signal.statistics}


JOINT_COLUMNS, OTHER_COLUMNS = _columns(True), _columns(False)

_TIMES = ("start", "last_time", "received")
_PLAIN = ("length_us", "frames", "missing", "fault_frames", "backfill_frames", "boot_id", "mode")
_INTEGERS = {
    **{name: MICROSECONDS.format(name).replace("frame.", "vitals.") for name in _TIMES},
    **{name: f"vitals.{name}" for name in _PLAIN},
    **{name: f"coalesce(vitals.{name}, {ABSENT})" for name in COUNTERS},
}
VITALS_COLUMNS = ", ".join(
    ["vitals.robot_id", "vitals.software", "vitals.scenario"]
    + [f"array_send(ARRAY[{', '.join(_INTEGERS.values())}]::bigint[]) AS integers"]
    + [PACKED.format(f"ARRAY[{', '.join(f'vitals.{name}' for name in OTHER_COLUMNS)}]::real[]", "reals")]
    + [PACKED.format(f"vitals.{name}", name) for name in JOINT_COLUMNS]
)
VITALS_ORDER = "vitals.robot_id, vitals.start, vitals.length_us"

_SUMS = ("frames", "missing", "fault_frames", "backfill_frames")
HOURLY_COLUMNS = (
    "robot_id", "start", "windows", "seen_s", "active_s", *_SUMS, "boots", "last_time", "received", "mode",
    *COUNTERS, "software", "scenario", *JOINT_COLUMNS, *OTHER_COLUMNS,
)  # fmt: skip

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def hourly_rows(rows: Sequence[Row]) -> list[tuple[Any, ...]]:
    """One a robot and hour, in the order of `rows`. Windows belong to the hour that they begin in."""
    if not rows:
        return []
    matrix = unpacked([row["integers"] for row in rows], np.dtype(np.int64))
    integers = dict(zip(_INTEGERS, matrix.T, strict=True))
    begins = _begins([row["robot_id"] for row in rows], integers["start"] // HOUR_US)
    ends = np.append(begins[1:], len(rows)) - 1
    weights = integers["frames"].astype(np.float64)
    plain = _plain(rows, integers, begins, ends)
    joints = [
        _of_joints([row[name] for row in rows], kept, weights, begins) for name, kept in JOINT_COLUMNS.items()
    ]
    reals = unpacked([row["reals"] for row in rows], np.dtype(np.float32)).astype(np.float64)
    others = [
        _listed(_reduced(reals[:, at : at + 1], kept, weights, begins)[:, 0])
        for at, kept in enumerate(OTHER_COLUMNS.values())
    ]
    return list(zip(*plain, *joints, *others, strict=True))


def _begins(codes: Sequence[str], hours: Integers) -> Integers:
    """Where in the rows each robot's hour begins."""
    robots = np.array(codes)
    changes = np.nonzero((robots[1:] != robots[:-1]) | (hours[1:] != hours[:-1]))[0] + 1
    return np.concatenate([np.zeros(1, np.int64), changes])


def _plain(
    rows: Sequence[Row], integers: Mapping[str, Integers], begins: Integers, ends: Integers
) -> list[list[Any]]:
    """The columns before the statistics."""
    last = {name: values[ends].tolist() for name, values in integers.items()}
    seen_us = np.add.reduceat(np.where(integers["frames"] > 0, integers["length_us"], 0), begins)
    works = (integers["frames"] > 0) & np.isin(integers["mode"], ACTIVE)
    active_us = np.add.reduceat(np.where(works, integers["length_us"], 0), begins)
    boots = [len(np.unique(integers["boot_id"][begin : end + 1])) for begin, end in zip(begins, ends, strict=True)]
    return [
        [rows[at]["robot_id"] for at in ends],
        [_time(us // HOUR_US * HOUR_US) for us in last["start"]],
        (ends - begins + 1).tolist(),
        (seen_us / 1e6).tolist(),
        (active_us / 1e6).tolist(),
        *(np.add.reduceat(integers[name], begins).tolist() for name in _SUMS),
        boots,
        [_time(us) for us in last["last_time"]],
        [_time(us) for us in last["received"]],
        last["mode"],
        *([None if count == ABSENT else count for count in last[name]] for name in COUNTERS),
        [rows[at]["software"] for at in ends],
        [rows[at]["scenario"] for at in ends],
    ]  # fmt: skip


def _of_joints(
    column: Sequence[bytes | None], kept: Statistic, weights: Floats, begins: Integers
) -> list[list[float | None] | None]:
    """An array an hour, as long as the longest of its windows; None where no window had one."""
    lengths = np.array([_elements(packed) for packed in column])
    longest = int(lengths.max())
    if not longest:
        return [None] * len(begins)
    matrix = np.full((len(column), longest), np.nan)
    for length in np.unique(lengths[lengths > 0]).tolist():
        chosen = np.nonzero(lengths == length)[0]
        packed = [column[at] or b"" for at in chosen.tolist()]
        matrix[chosen, :length] = unpacked(packed, np.dtype(np.float32))
    sizes = np.maximum.reduceat(lengths, begins).tolist()
    reduced = _reduced(matrix, kept, weights, begins)
    return [_listed(row[:size]) if size else None for row, size in zip(reduced, sizes, strict=True)]


def _elements(packed: bytes | None) -> int:
    return 0 if packed is None else (len(packed) - HEAD_BYTES) // (LENGTH_BYTES + 4)


def _reduced(values: Floats, kept: Statistic, weights: Floats, begins: Integers) -> Floats:
    """Rows × slots to hours × slots; NaN where no window had a value."""
    match kept:
        case Statistic.MIN:
            return np.asarray(np.fmin.reduceat(values, begins))
        case Statistic.MAX:
            return np.asarray(np.fmax.reduceat(values, begins))
        case Statistic.LAST:
            there = np.where(np.isnan(values), -1, np.arange(len(values))[:, None])
            at = np.maximum.reduceat(there, begins)
            return np.where(at < 0, np.nan, np.take_along_axis(values, np.maximum(at, 0), axis=0))
        case Statistic.MEAN:
            return _weighted(values, weights, begins)
        case Statistic.RMS:
            return np.sqrt(_weighted(values**2, weights, begins))


def _weighted(values: Floats, weights: Floats, begins: Integers) -> Floats:
    absent = np.isnan(values)
    of_value = np.where(absent, 0.0, weights[:, None])
    total = np.add.reduceat(of_value, begins)
    weighted = np.add.reduceat(np.where(absent, 0.0, values) * of_value, begins)
    mean: Floats = np.divide(weighted, total, out=np.full_like(weighted, np.nan), where=total > 0)
    return mean


def _listed(values: Floats) -> list[float | None]:
    return [None if value != value else value for value in values.tolist()]


def _time(us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=us)
