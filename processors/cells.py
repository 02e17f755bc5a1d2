"""Cells: what windows gather of the frames of each source, as arrays of one layout.

In: a matrix frames × slots, its rows sorted by cell. Out: counts and statistics. A cell is one source in one
window; only what the signals' statistics need is kept. Called by `processors/pools.py`, `processors/mixed.py` and
`processors/closing.py`. Pure.

Sums run in double precision and become float32 at the end. Sums of float32 readings are exact there unless the
readings of one cell differ by more than 2^20 in magnitude; sums of squares are rounded at the 16th digit. So the
order in which batches came can change a mean or rms by float32's last place at most; last, minimum and maximum
are equal whatever the order.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from processors.runs import Runs
from schemas.columns import Extremes, Float32, Int64
from schemas.layout import Layout
from schemas.signals import STATISTICS, Statistic

LAST, MEAN, MIN, MAX, RMS = STATISTICS

Number = TypeVar("Number", bound=np.generic)

# Where a cell begins: what a commit must go back to, and the watermark before that frame.
HEAD = np.dtype([("first_seq", "<i8"), ("offset", "<i8"), ("watermark_us", "<i8")])
# What a window tells of the last frame of a cell, beside its texts.
TAIL = np.dtype(
    [
        (name, "<i8")
        for name in (
            "boot_id",
            "last_seq",
            "last_time_us",
            "received_us",
            "mode",
            "runtime_s",
            "energy_wh",
            "cycles",
        )
    ]
)
# `told`: how many frames the cell had when its window was last emitted.
COUNTS = np.dtype([(name, "<i8") for name in ("frames", "missing", "fault_frames", "backfill_frames", "told")])


class Slots:
    """Some slots of a layout, in order, and how to pick their columns from a matrix of all."""

    def __init__(self, numbers: list[int]) -> None:
        self.numbers: Int64 = np.array(numbers, np.int64)
        starts = [i for i, n in enumerate(numbers) if i == 0 or n != numbers[i - 1] + 1]
        self._spans = [
            (slice(begin, end), slice(numbers[begin], numbers[end - 1] + 1))
            for begin, end in pairwise([*starts, len(numbers)])
        ]

    def __len__(self) -> int:
        return len(self.numbers)

    def pick(self, matrix: NDArray[Number], dtype: type[Number] | None = None) -> NDArray[Number]:
        """A copy of the columns. Span by span: indexing by an array would leave them transposed in memory, and
        five times as slow to reckon with."""
        picked = np.empty((len(matrix), len(self)), dtype or matrix.dtype)
        for here, there in self._spans:
            picked[:, here] = matrix[:, there]
        return picked

    def places_in(self, wider: "Slots", numbers: Int64 | None = None) -> Int64:
        """Where slots (these, or those of `numbers` that they have become) are among `wider`."""
        return np.searchsorted(wider.numbers, self.numbers if numbers is None else numbers[self.numbers])


@dataclass(frozen=True, slots=True)
class Plan:
    """The slots that each statistic needs; `counted` are those of a mean or rms, where absences count."""

    keeping: dict[Statistic, Slots]
    counted: Slots


@lru_cache(maxsize=4096)
def plan_of(layout: Layout) -> Plan:
    """The plan of a layout."""
    keeping = {statistic: Slots(layout.keeping(statistic)) for statistic in STATISTICS}
    return Plan(keeping, Slots(sorted({*layout.keeping(MEAN), *layout.keeping(RMS)})))


@dataclass(slots=True)
class Cells:
    """n cells of one layout. `texts` is n × (software, scenario) of the last frame. `values` holds for each
    statistic a matrix n × the slots that keep it: LAST, MIN and MAX as float32, NaN before the first value; MEAN
    the sum and RMS the sum of squares as float64. `absent` counts the frames without a value, n × `plan.counted`;
    it is all nought, and then not looked at, until `holes`.
    """

    layout: Layout
    head: NDArray[np.void]
    tail: NDArray[np.void]
    texts: NDArray[np.object_]
    counts: NDArray[np.void]
    values: dict[Statistic, NDArray[np.floating]]
    absent: NDArray[np.int32]
    holes: bool

    @classmethod
    def empty(cls, layout: Layout, size: int) -> "Cells":
        """Cells that have seen nothing."""
        plan = plan_of(layout)
        values: dict[Statistic, NDArray[np.floating]] = {}
        for statistic, slots in plan.keeping.items():
            if statistic in (MEAN, RMS):
                values[statistic] = np.zeros((size, len(slots)), np.float64)
            else:
                values[statistic] = np.full((size, len(slots)), np.nan, np.float32)
        absent = np.zeros((size, len(plan.counted)), np.int32)
        texts = np.full((size, 2), "", object)
        tables = (np.zeros(size, HEAD), np.zeros(size, TAIL), texts, np.zeros(size, COUNTS))
        return cls(layout, *tables, values, absent, holes=False)

    def __len__(self) -> int:
        return len(self.head)

    def take(self, rows: Int64) -> "Cells":
        """A copy of some of the cells."""
        values = {statistic: matrix.take(rows, axis=0) for statistic, matrix in self.values.items()}
        tables = (self.head[rows], self.tail[rows], self.texts[rows], self.counts[rows])
        return Cells(self.layout, *tables, values, self.absent[rows], self.holes)

    def put(self, rows: Int64, cells: "Cells") -> None:
        """Write cells of the same layout over those at `rows`."""
        self.head[rows], self.tail[rows] = cells.head, cells.tail
        self.texts[rows], self.counts[rows] = cells.texts, cells.counts
        for statistic, matrix in self.values.items():
            matrix[rows] = cells.values[statistic]
        if self.holes or cells.holes:
            self.absent[rows] = cells.absent
            self.holes = True

    def clear(self, rows: Int64) -> None:
        """Make the cells at `rows` as if they had seen nothing."""
        self.counts[rows] = np.zeros(1, COUNTS)
        for statistic, matrix in self.values.items():
            matrix[rows] = 0 if statistic in (MEAN, RMS) else np.nan
        if self.holes:
            self.absent[rows] = 0

    def resized(self, size: int) -> "Cells":
        """The same cells with room for `size`; what is new is not cleared."""
        values = {statistic: _resized(matrix, size) for statistic, matrix in self.values.items()}
        head, tail, counts = (_resized(table, size) for table in (self.head, self.tail, self.counts))
        # Of what holds only noughts no memory is taken up until it is written.
        absent = _resized(self.absent, size) if self.holes else np.zeros((size, self.absent.shape[1]), np.int32)
        return Cells(self.layout, head, tail, _resized(self.texts, size), counts, values, absent, self.holes)

    def gather(self, rows: Int64, runs: Runs, values: Float32, extremes: Extremes | None = None) -> None:
        """Add frames: `values` is frames × slots, sorted by cell; the cell of run i is `rows[i]`. Where the values
        are means, MIN and MAX are of their `extremes`.
        """
        plan = plan_of(self.layout)
        nan = np.isnan(values)
        holes = bool(nan.any())
        lowest, highest = (extremes.lowest, extremes.highest) if extremes else (values, values)
        for statistic, ufunc, found in ((MIN, np.fmin, lowest), (MAX, np.fmax, highest)):
            reduced = runs.reduce(ufunc, plan.keeping[statistic].pick(found))
            known = self.values[statistic]
            known[rows] = ufunc(known.take(rows, axis=0), reduced, out=reduced)
        self._gather_last(rows, runs, values, nan if holes else None)
        if holes:
            self.holes = True
            self.absent[rows] += runs.reduce(np.add, plan.counted.pick(nan, np.int32))
            values = np.where(nan, np.float32(0), values)
        roots = plan.keeping[RMS].pick(values, np.float64)
        squares = np.multiply(roots, roots, out=roots)
        for statistic, terms in ((MEAN, plan.keeping[MEAN].pick(values, np.float64)), (RMS, squares)):
            total = runs.reduce(np.add, terms)
            self.values[statistic][rows] = np.add(total, self.values[statistic].take(rows, axis=0), out=total)

    def _gather_last(self, rows: Int64, runs: Runs, values: Float32, nan: NDArray[np.bool_] | None) -> None:
        slots = plan_of(self.layout).keeping[LAST]
        if nan is None:
            self.values[LAST][rows] = slots.pick(values.take(runs.lasts, axis=0))
            return
        present = np.where(slots.pick(nan), -1, np.arange(len(values))[:, None])
        newest = runs.reduce(np.maximum, present)
        found = values[newest, slots.numbers]
        self.values[LAST][rows] = np.where(newest < 0, self.values[LAST][rows], found)

    def append(self, rows: Int64, later: "Cells") -> None:
        """Add to the cells at `rows` what `later` cells of the same robot and layout have gathered after them."""
        known = self.take(rows)
        for statistic, matrix in later.values.items():
            before = known.values[statistic]
            if statistic is LAST:
                known.values[LAST] = np.where(np.isnan(matrix), before, matrix)
            elif statistic in (MEAN, RMS):
                known.values[statistic] = before + matrix
            else:
                known.values[statistic] = (np.fmin if statistic is MIN else np.fmax)(before, matrix)
        for name in COUNTS.names or ():
            known.counts[name] += later.counts[name]
        known.absent += later.absent
        known.head, known.tail, known.texts = later.head, later.tail, later.texts
        known.holes = known.holes or later.holes
        self.put(rows, known)

    def widened(self, layout: Layout) -> "Cells":
        """The same cells in a layout that holds this one; the slots that are new were absent in every frame."""
        if layout == self.layout:
            return self
        into, plan, wider = np.array(self.layout.slots_into(layout)), plan_of(self.layout), plan_of(layout)
        cells = Cells.empty(layout, len(self))
        cells.head, cells.tail, cells.texts, cells.counts = self.head, self.tail, self.texts, self.counts
        cells.holes = True
        for statistic, matrix in self.values.items():
            cells.values[statistic][:, plan.keeping[statistic].places_in(wider.keeping[statistic], into)] = matrix
        cells.absent[:] = self.counts["frames"][:, None]
        cells.absent[:, plan.counted.places_in(wider.counted, into)] = self.absent
        return cells

    def statistics(self) -> dict[Statistic, Float32]:
        """Each statistic as n × the slots that keep it, NaN where no frame had a value."""
        plan = plan_of(self.layout)
        seen = self.counts["frames"][:, None] - self.absent
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = self.values[MEAN] / seen[:, plan.keeping[MEAN].places_in(plan.counted)]
            rms = np.sqrt(self.values[RMS] / seen[:, plan.keeping[RMS].places_in(plan.counted)])
        ready = {**self.values, MEAN: mean, RMS: rms}
        return {statistic: matrix.astype(np.float32) for statistic, matrix in ready.items()}


def _resized(known: NDArray[Number], size: int) -> NDArray[Number]:
    larger = np.empty((size, *known.shape[1:]), known.dtype)
    larger[: len(known)] = known
    return larger


def concatenate(parts: list[Cells]) -> Cells:
    """The cells of several arrays of one layout as one."""
    if len(parts) == 1:
        return parts[0]
    return Cells(
        parts[0].layout,
        np.concatenate([part.head for part in parts]),
        np.concatenate([part.tail for part in parts]),
        np.concatenate([part.texts for part in parts]),
        np.concatenate([part.counts for part in parts]),
        {statistic: np.concatenate([part.values[statistic] for part in parts]) for statistic in STATISTICS},
        np.concatenate([part.absent for part in parts]),
        any(part.holes for part in parts),
    )
