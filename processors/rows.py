"""Rows of `frame` to windows: the one way to compute vitals again from what is stored.

In: rows of the database, selected by `FRAME_COLUMNS` and sorted by `FRAME_ORDER`, some at a time. Out: repaired
Vitals. Called by `processors/repair.py` and by whatever compares `vitals` with the rows. Pure.

Numbers come as the bytes of PostgreSQL's binary arrays: the integers, the signals that are not a joint's, and each
signal of joints. A robot that sends hours late makes a million rows; as numbers each costs three times as much.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from processors.windows import Rule, Windows, recount, repaired
from schemas.columns import ABSENT, Extremes, FrameColumns, LayoutGroup, Texts
from schemas.layout import Layout, parse_layout
from schemas.robot_code import CODE_LENGTH
from schemas.signals import FRAME_COUNTERS, SIGNALS, Component
from schemas.vitals import Vitals

Row = Mapping[str, Any]
Number = TypeVar("Number", bound=np.generic)

JOINT_SIGNALS = tuple(signal.name for signal in SIGNALS if signal.component is Component.JOINT)
OTHER_SIGNALS = tuple(signal.name for signal in SIGNALS if signal.component is not Component.JOINT)
EXTREMES = ("lowest", "highest")

# Times travel as microseconds, since a double cannot hold a timestamptz exactly.
MICROSECONDS = "(extract(epoch FROM frame.{0}) * 1000000)::bigint"
INTEGERS = {
    "time_us": MICROSECONDS.format("time"),
    "received_us": MICROSECONDS.format("received"),
    "boot_id": "frame.boot_id",
    "seq": "frame.seq",
    "mono_us": "frame.mono_us",
    "mode": "frame.mode",
    "backfill": "frame.backfill::integer",
    **{name: f"coalesce(frame.{name}, {ABSENT})" for name in FRAME_COUNTERS},
}
_REALS = ", ".join(f"frame.{name}" for name in OTHER_SIGNALS)
PACKED = "array_send(array_replace({0}, NULL, 'NaN')) AS {1}"
FRAME_COLUMNS = ", ".join(
    ["frame.robot_id", "frame.scenario", "frame.software", "frame.extremes_layout"]
    + [f"array_send(ARRAY[{', '.join(INTEGERS.values())}]::bigint[]) AS integers"]
    + [PACKED.format(f"ARRAY[{_REALS}]::real[]", "reals")]
    + [PACKED.format(f"frame.{name}", name) for name in (*JOINT_SIGNALS, *EXTREMES)]
)
# As the windows count them: within a boot by sequence number.
FRAME_ORDER = "frame.robot_id, frame.boot_id, frame.seq, frame.time"

# A binary array begins with its dimensions, flags, type, length and lower bound, 4 bytes each; before each element
# stands its length.
HEAD_BYTES = 20
LENGTH_BYTES = 4


class Recount:
    """Windows of rows. Holds a cell for each robot and window, whatever the number of rows."""

    def __init__(self, length_us: int) -> None:
        self._windows = Windows(Rule(length_us, 0, 0), partition=0, offset=0)

    def add(self, rows: Sequence[Row]) -> None:
        """Rows in FRAME_ORDER, after those that were added before."""
        recount(self._windows, columns_of(rows))

    def vitals(self) -> list[Vitals]:
        """The windows of all rows so far."""
        return repaired(self._windows)


def columns_of(rows: Sequence[Row]) -> FrameColumns:
    """Rows as the columns of a batch. A signal that is NULL is not in its row's layout."""
    matrix = unpacked([row["integers"] for row in rows], np.dtype(np.int64))
    integers = dict(zip(INTEGERS, matrix.T, strict=True))
    return FrameColumns(
        offset=np.arange(len(rows)),
        received_us=integers["received_us"],
        robot_id=np.array([row["robot_id"].encode() for row in rows], f"S{CODE_LENGTH}"),
        boot_id=integers["boot_id"],
        seq=integers["seq"],
        time_us=integers["time_us"],
        mono_us=integers["mono_us"],
        counters={name: integers[name] for name in FRAME_COUNTERS},
        mode=integers["mode"].astype(np.int16),
        backfill=integers["backfill"].astype(np.bool_),
        scenario=Texts.of([row["scenario"] for row in rows]),
        software=Texts.of([row["software"] for row in rows]),
        groups=_groups(rows),
    )


def _groups(rows: Sequence[Row]) -> list[LayoutGroup]:
    """The rows by layout: which signals each has, and of how many joints; and by that of their extremes."""
    arrays = {name: [row[name] for row in rows] for name in JOINT_SIGNALS}
    reals = unpacked([row["reals"] for row in rows], np.dtype(np.float32))
    given = [row["extremes_layout"] for row in rows]
    forms = zip(given, (~np.isnan(reals)).tolist(), *map(_sizes, arrays.values()), strict=True)
    chosen: dict[Any, list[int]] = {}
    for number, (text, others, *sizes) in enumerate(forms):
        chosen.setdefault((text, (*sizes, *others)), []).append(number)
    groups = []
    for (text, form), numbers in chosen.items():
        present = {name for name, there in zip((*JOINT_SIGNALS, *OTHER_SIGNALS), form, strict=True) if there}
        sizes = form[: len(JOINT_SIGNALS)]
        joints = (max(sizes) - HEAD_BYTES) // (LENGTH_BYTES + 4) if any(sizes) else 0
        layout = Layout(joints, tuple(signal.name for signal in SIGNALS if signal.name in present))
        matrix = np.empty((len(numbers), len(layout.slots)), np.float32)
        for name, (begin, end) in layout.spans.items():
            if name in arrays:
                matrix[:, begin:end] = unpacked([arrays[name][row] for row in numbers], np.dtype(np.float32))
            else:
                matrix[:, begin] = reals[numbers, OTHER_SIGNALS.index(name)]
        extremes = _extremes([rows[row] for row in numbers], parse_layout(text), layout) if text else None
        groups.append(LayoutGroup(layout, np.array(numbers), matrix, extremes))
    return groups


def _extremes(rows: Sequence[Row], stored: Layout, layout: Layout) -> Extremes:
    """Of rows whose extremes are in the order of `stored`, which holds the signals of `layout` and their joints."""
    order = [slot for name in layout.signals for slot in range(*stored.spans[name])]
    lowest, highest = (unpacked([row[side] for row in rows], np.dtype(np.float32))[:, order] for side in EXTREMES)
    return Extremes(lowest, highest)


def _sizes(column: Sequence[bytes | None]) -> list[int]:
    return [0 if packed is None else len(packed) for packed in column]


def unpacked(column: Sequence[bytes], kind: np.dtype[Number]) -> NDArray[Number]:
    """Binary arrays of one length each, as rows × elements."""
    matrix = np.frombuffer(b"".join(column), np.uint8).reshape(len(column), -1)
    elements = matrix[:, HEAD_BYTES:].reshape(len(column), -1, LENGTH_BYTES + kind.itemsize)
    packed = np.ascontiguousarray(elements[:, :, LENGTH_BYTES:])
    return packed.view(kind.newbyteorder(">"))[:, :, 0].astype(kind)
