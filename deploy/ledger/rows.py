"""Rows of `frame` and `vitals` as columns, for the check: read here, and by nothing of the product.

In: a connection and robot codes. Out: numpy columns. A signal is a matrix rows × elements, NaN where the database
has NULL, with the length that each row's array has (1 for a plain column that is not NULL).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeAlias

import asyncpg
import numpy as np
from numpy.typing import NDArray

from schemas.signals import SIGNALS, Component

Int64 = NDArray[np.int64]
Float32 = NDArray[np.float32]
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

ABSENT = -1
_US = "(extract(epoch FROM {0}) * 1000000)::bigint AS {0}_us"
_FRAME_INTEGERS = ("seq", "boot_id", "mono_us", "runtime_s", "energy_wh", "cycles", "dropped", "mode", "backfill")
_VITALS_INTEGERS = (
    "frames", "first_seq", "last_seq", "boot_id", "missing", "fault_frames", "backfill_frames", "mode", "runtime_s",
    "energy_wh", "cycles", "length_us",
)  # fmt: skip
_TEXTS = ("software", "scenario")
STATISTICS = {f"{s.name}_{statistic}": (s, statistic) for s in SIGNALS for statistic in s.statistics}


@dataclass(frozen=True, slots=True)
class Cells:
    """`values` is rows × the longest array; `length` of each row is 0 where the column is NULL."""

    values: Float32
    length: Int64


@dataclass(frozen=True, slots=True)
class Columns:
    """`robot` indexes the codes that were asked for. Integers are ABSENT where NULL."""

    robot: Int64
    integers: dict[str, Int64]
    texts: dict[str, NDArray[np.object_]]
    cells: dict[str, Cells]

    def __len__(self) -> int:
        return len(self.robot)


async def frames(connection: Connection, codes: Sequence[str]) -> Columns:
    """All rows of these robots."""
    names = [
        *_FRAME_INTEGERS,
        *_TEXTS,
        *(signal.name for signal in SIGNALS),
        "lowest",
        "highest",
        "extremes_layout",
    ]
    found = await connection.fetch(
        f"SELECT robot_id, {_US.format('time')}, {', '.join(names)} FROM frame "  # noqa: S608 -- our own names
        "WHERE robot_id = ANY($1::text[])",
        list(codes),
    )
    joints = {signal.name: signal.component is Component.JOINT for signal in SIGNALS}
    columns = _columns(found, codes, ("time_us", *_FRAME_INTEGERS), joints)
    extremes = [_extremes(found, side, columns.cells) for side in ("lowest", "highest")]
    columns.cells.update(extremes[0] | extremes[1])
    return columns


async def vitals(connection: Connection, codes: Sequence[str]) -> Columns:
    """All windows of these robots."""
    names = [*_VITALS_INTEGERS, *_TEXTS, *STATISTICS]
    found = await connection.fetch(
        f"SELECT robot_id, {_US.format('start')}, {_US.format('last_time')}, {', '.join(names)} "  # noqa: S608
        "FROM vitals WHERE robot_id = ANY($1::text[])",
        list(codes),
    )
    joints = {name: signal.component is Component.JOINT for name, (signal, _) in STATISTICS.items()}
    return _columns(found, codes, ("start_us", "last_time_us", *_VITALS_INTEGERS), joints)


def _extremes(found: Sequence[Any], side: str, means: dict[str, Cells]) -> dict[str, Cells]:
    """Each signal's lowest or highest, as `joint_wear lowest`; where a row keeps none, what it has itself."""
    cells = {name: Cells(own.values.copy(), own.length) for name, own in means.items()}
    joints = {signal.name for signal in SIGNALS if signal.component is Component.JOINT}
    for at, row in enumerate(found):
        if row["extremes_layout"] is None:
            continue
        count, _, names = row["extremes_layout"].partition(":")
        entries = iter(row[side])
        for name in names.split(","):
            kept = list(islice(entries, int(count) if name in joints else 1))
            cells[name].values[at, : len(kept)] = [np.nan if value is None else value for value in kept]
    return {f"{name} {side}": own for name, own in cells.items()}


def _columns(
    found: Sequence[Any], codes: Sequence[str], integers: Sequence[str], cells: dict[str, bool]
) -> Columns:
    number = {code: at for at, code in enumerate(codes)}
    return Columns(
        robot=np.array([number[row["robot_id"]] for row in found], np.int64),
        integers={name: _integers([row[name] for row in found]) for name in integers},
        texts={name: np.array([row[name] for row in found], object) for name in _TEXTS},
        cells={name: _cells([row[name] for row in found], is_array) for name, is_array in cells.items()},
    )


def _integers(values: list[Any]) -> Int64:
    return np.array([ABSENT if value is None else value for value in values], np.int64)


def _cells(values: list[Any], is_array: bool) -> Cells:
    if not is_array:
        column = np.array(values, np.float32).reshape(-1, 1)
        return Cells(column, (~np.isnan(column[:, 0])).astype(np.int64))
    length = np.array([0 if value is None else len(value) for value in values], np.int64)
    width = int(length.max(initial=0))
    if not width:
        return Cells(np.empty((len(values), 0), np.float32), length)
    if (length == width).all():
        return Cells(np.array(values, np.float32).reshape(len(values), width), length)
    padded = [[*(value or ()), *[None] * (width - n)] for value, n in zip(values, length.tolist(), strict=True)]
    return Cells(np.array(padded, np.float32).reshape(len(values), width), length)


def padded(values: Float32, width: int) -> Float32:
    """With columns of NaN up to that width, if there are fewer."""
    return np.pad(values, ((0, 0), (0, max(0, width - values.shape[1]))), constant_values=np.nan)
