"""Rows of `frame` to windows: the one way to compute vitals again from what is stored.

In: rows of the database, selected by `FRAME_COLUMNS` and sorted by `FRAME_ORDER`, some at a time. Out: repaired
Vitals. Called by `processors/repair.py` and by whatever compares `vitals` with the rows. Pure.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from processors.windows import Rule, Windows, recount, repaired
from schemas.columns import ABSENT, FrameColumns, LayoutGroup, Texts
from schemas.frame import pack_readings
from schemas.layout import Layout
from schemas.signals import COUNTERS, SIGNALS
from schemas.vitals import Vitals

Row = Mapping[str, Any]

_MICROSECONDS = "(extract(epoch FROM frame.{0}) * 1000000)::bigint AS {0}_us"
FRAME_COLUMNS = ", ".join(
    [_MICROSECONDS.format("time"), _MICROSECONDS.format("received")]
    + [f"frame.{name}" for name in ("robot_id", "boot_id", "seq", "mono_us", "mode", "backfill")]
    + [f"frame.{name}" for name in ("scenario", "software", *COUNTERS, *(signal.name for signal in SIGNALS))]
)
# As the windows count them: within a boot by sequence number.
FRAME_ORDER = "frame.robot_id, frame.boot_id, frame.seq, frame.time"


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

    def integers(name: str) -> Any:
        return np.array([ABSENT if row[name] is None else row[name] for row in rows], np.int64)

    return FrameColumns(
        offset=np.arange(len(rows)),
        received_us=integers("received_us"),
        robot_id=np.array([row["robot_id"].encode() for row in rows], "S29"),
        boot_id=integers("boot_id"),
        seq=integers("seq"),
        time_us=integers("time_us"),
        mono_us=integers("mono_us"),
        counters={name: integers(name) for name in COUNTERS},
        mode=integers("mode").astype(np.int16),
        backfill=np.array([row["backfill"] for row in rows], np.bool_),
        scenario=Texts.of([row["scenario"] for row in rows]),
        software=Texts.of([row["software"] for row in rows]),
        groups=_groups(rows),
    )


def _groups(rows: Sequence[Row]) -> list[LayoutGroup]:
    found: dict[Layout, tuple[list[int], list[bytes]]] = {}
    for number, row in enumerate(rows):
        readings = {signal.name: row[signal.name] for signal in SIGNALS if row[signal.name] is not None}
        layout, values = pack_readings(readings)
        numbers, packed = found.setdefault(layout, ([], []))
        numbers.append(number)
        packed.append(values)
    return [
        LayoutGroup(
            layout,
            np.array(numbers),
            np.frombuffer(b"".join(packed), "<f4").reshape(len(numbers), len(layout.slots)),
        )
        for layout, (numbers, packed) in found.items()
    ]
