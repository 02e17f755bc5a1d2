"""Remaining life of the NASA cells: what the shipped trend says of each cycle, and what then came.

In: the folder with `B0005_capacity_df.csv` and its neighbours, a capacity a row. Out: for each cell the remaining
cycles at 30, 50 and 70 % of its life against the truth, and over all its cycles how often something was said and
the interval held. Called by `robovitals evaluate PATH --recording battery_nasa`. A cycle counts as a day; the
parameters are the shipped ones, one pass, and a cycle is judged from itself and those before it.

Beside it stands what anybody would do without us: a straight line through all cycles so far.
"""

import csv
import math
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from processors.detectors import trend
from processors.detectors.courses import Wearing
from processors.detectors.ends import Ends
from processors.detectors.trend import DAY_US
from schemas.errors import SettingError, UnavailableError

END_OF_LIFE_AH = 1.4  # of nominally 2.0: what NASA ended its test at
SHARES = (0.3, 0.5, 0.7)
PATTERN = "*_capacity_df.csv"
COLUMN = "capacity"
_LEAST_LEFT = 5  # cycles: with fewer left a relative error means nothing


class Judged(NamedTuple):
    """What was said after each cycle, in cycles: NaN unknown, inf more than can be said."""

    capacity_ah: NDArray[np.float64]
    remaining: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    due: NDArray[np.bool_]


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """At one share of a cell's life. None: it said unknown. `line` is the straight line's answer."""

    share: float
    cycle: int
    left: int
    said: float | None
    low: float | None
    high: float | None
    line: float | None

    @property
    def holds(self) -> bool | None:
        """Whether the interval holds the truth."""
        if self.low is None or self.high is None:
            return None
        return self.low <= self.left <= self.high


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """`end`: the row of the first capacity at or below the end of life, None where it never came; then `held`
    counts intervals that the cycles which did come do not contradict, and there are no points and no errors.

    `held` and `errors` are over the cycles of which something was said (`known` of `cycles`); relative errors are
    medians, of ours and of the straight line's. `warned`: how many cycles before the end the warning came.
    """

    name: str
    cycles: int
    end: int | None
    known: float
    held: float | None
    error: float | None
    line_error: float | None
    warned: int | None
    points: list[Point]


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """All cells. `held` is the share of intervals that held, over all cells' cycles of which something was said."""

    end_of_life_ah: float
    coverage: float
    held: float | None
    cells: list[Cell]

    def as_json(self) -> bytes:
        return msgspec.json.encode(self)

    def table(self) -> Table:
        """A row a cell and share of its life, then a row over all its cycles."""
        table = Table(
            "cell", "at", "left", "said", "80 % interval", "holds", "error", "straight line",
            title=f"NASA cells: cycles left until {self.end_of_life_ah:g} Ah", title_justify="left", box=None,
        )  # fmt: skip
        for cell in self.cells:
            for point in cell.points:
                table.add_row(cell.name, f"{point.share:.0%}", str(point.left), *_of_point(point))
            table.add_row(cell.name, *_of_all(cell))
        return table


def run(folder: Path) -> Result:
    """Judge every cell of the folder. Raises UnavailableError and SettingError."""
    files = sorted(folder.glob(PATTERN))
    if not files:
        raise UnavailableError(f"{folder} has no {PATTERN}: name the folder battery_nasa of the recordings")
    judged = {path.name.partition("_")[0]: judge(read(path)) for path in files}
    cells = [cell_of(name, one) for name, one in judged.items()]
    said = [(cell.held, cell.known * cell.cycles) for cell in cells if cell.held is not None]
    weight = sum(known for _, known in said)
    held = sum(share * known for share, known in said) / weight if weight else None
    return Result(end_of_life_ah=END_OF_LIFE_AH, coverage=0.8, held=held, cells=cells)


def read(path: Path) -> NDArray[np.float64]:
    """The capacities of a cell in Ah, NaN where there is none."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        if COLUMN not in (rows.fieldnames or ()):
            raise SettingError(f"{path}: no column {COLUMN!r}; it has {', '.join(rows.fieldnames or ())}")
        try:
            return np.array([float(row[COLUMN] or "nan") for row in rows])
        except ValueError as error:
            raise SettingError(f"{path}: line {rows.line_num}: {error}") from None


def judge(capacity_ah: NDArray[np.float64]) -> Judged:
    """Run the trend over a cell; what is said of a cycle is said once it is over, before the next has a value."""
    wearing = Wearing()
    ends = Ends(*(np.array(a, np.float32) for a in ([-1], [[END_OF_LIFE_AH]], [np.nan])))
    state = trend.empty(1, 1)
    said = []
    for cycle, value in enumerate(capacity_ah):
        state, _ = trend.step(state, cycle * DAY_US, np.array([[value]], np.float32), ends, wearing)
        after, _ = trend.step(state, (cycle + 1) * DAY_US, np.array([[np.nan]], np.float32), ends, wearing)
        life = trend.life(after)
        said.append((life.remaining[0, 0], life.low[0, 0], life.high[0, 0], life.due[0, 0]))
    remaining, low, high, due = np.array(said, np.float64).reshape(-1, 4).T
    return Judged(capacity_ah, remaining, low, high, due.astype(bool))


def cell_of(name: str, judged: Judged) -> Cell:
    """Hold what was said against what came."""
    below = np.nonzero(judged.capacity_ah <= END_OF_LIFE_AH)[0]
    end = int(below[0]) if len(below) else None
    count = len(judged.capacity_ah) if end is None else end
    left = count - np.arange(count)
    known = ~np.isnan(judged.remaining[:count])
    holds = (judged.high[:count] >= left) & (True if end is None else judged.low[:count] <= left)
    line = [_line(judged.capacity_ah[: cycle + 1]) for cycle in range(count)]
    counted = known & np.isfinite(judged.remaining[:count]) & (left > _LEAST_LEFT)
    compared = None if end is None or not counted.any() else counted
    first_due = np.nonzero(judged.due[:count])[0]
    return Cell(
        name=name,
        cycles=count,
        end=end,
        known=float(known.mean()) if count else 0.0,
        held=float(holds[known].mean()) if known.any() else None,
        error=None if compared is None else _error(judged.remaining[:count], left, compared),
        line_error=None if compared is None else _error(np.array(line), left, compared),
        warned=int(left[first_due[0]]) if end is not None and len(first_due) else None,
        points=[] if end is None else [_point(share, end, judged, line) for share in SHARES],
    )


def _point(share: float, end: int, judged: Judged, line: list[float]) -> Point:
    cycle = round(share * end)
    return Point(
        share=share,
        cycle=cycle,
        left=end - cycle,
        said=_finite(judged.remaining[cycle]),
        low=_finite(judged.low[cycle]),
        high=_finite(judged.high[cycle]),
        line=_finite(line[cycle]),
    )


def _line(capacity_ah: NDArray[np.float64]) -> float:
    """Cycles left by a straight line through all so far; inf where it does not fall, NaN with one."""
    there = np.nonzero(~np.isnan(capacity_ah))[0]
    if len(there) <= 1:
        return math.nan
    level, slope = np.polynomial.polynomial.polyfit(there - there[-1], capacity_ah[there], 1)
    return float(max(level - END_OF_LIFE_AH, 0) / -slope) if slope < 0 else math.inf


def _error(said: NDArray[np.float64], left: NDArray[np.int64], counted: NDArray[np.bool_]) -> float:
    return float(np.median(np.abs(said[counted] - left[counted]) / left[counted]))


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _of_point(point: Point) -> tuple[str, str, str, str, str]:
    line = "–" if point.line is None else f"{point.line:.0f} ({(point.line - point.left) / point.left:+.0%})"
    if point.said is None or point.low is None:
        return "unknown", "–", "–", "–", line
    until = "…" if point.high is None else f"{point.high:.0f}"
    error = f"{(point.said - point.left) / point.left:+.0%}"
    return f"{point.said:.0f}", f"{point.low:.0f} – {until}", "yes" if point.holds else "no", error, line


def _of_all(cell: Cell) -> tuple[str, str, str, str, str, str, str]:
    left = f"{cell.cycles} cycles" if cell.end is not None else f"not reached in {cell.cycles}"
    held = "–" if cell.held is None else f"{cell.held:.0%}"
    error, line = ("–" if e is None else f"median {e:.0%}" for e in (cell.error, cell.line_error))
    warned = "" if cell.warned is None else f"warned {cell.warned} before"
    return "all", left, f"of {cell.known:.0%}", warned, held, error, line
