"""Closed cells to messages: one Vitals for each window, shard and layout, split where it would grow too large.

In: copies of cells with their keys. Out: `schemas.vitals.Vitals`, ordered by window, shard and robot code. A robot
that booted anew inside a window has a cell for each boot; they become one, the boot with the latest frame last.
Called by `processors/windows.py`. Pure.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from processors.cells import Cells, concatenate, plan_of
from processors.pools import key_of, source_of, window_of
from processors.runs import Runs, by_company
from processors.sources import Sources
from schemas.columns import Codes, Int64
from schemas.layout import Layout
from schemas.signals import STATISTICS
from schemas.vitals import VITALS_VERSION, WINDOW_COLUMNS, Vitals

# Below the broker's limit of 1 MiB (`topics.MAX_RECORD_BYTES`) with room for the envelope.
MAX_MESSAGE_BYTES = 850_000

_ROBOT_BYTES = sum(np.dtype(kind).itemsize for kind in WINDOW_COLUMNS.values())
_TEXT_HEAD_BYTES = 5


@dataclass(frozen=True, slots=True)
class _Closed:
    """Rows of cells, with keys in which the robot's number stands in the place of the source's."""

    keys: Int64
    cells: Cells
    rows: Int64

    def part(self, chosen: NDArray[np.bool_]) -> "_Closed":
        return _Closed(self.keys[chosen], self.cells, self.rows[chosen])


def messages(places: list[tuple[Int64, Cells, Int64]], sources: Sources, kind: int, length_us: int) -> list[Vitals]:
    """The messages of cells, given as (keys, cells, their rows). `kind` indexes WINDOW_KINDS."""
    closed = _one_cell_a_robot([_of_robots(*place, sources) for place in places])
    found = [message for part in closed for message in _of_layout(part, sources, kind, length_us)]
    return sorted(found, key=lambda message: (message.start_us, message.shard))


def _of_robots(keys: Int64, cells: Cells, rows: Int64, sources: Sources) -> _Closed:
    expected = cells.tail["last_seq"][rows] - cells.head["first_seq"][rows] + 1
    # Rows of the database may hold a number twice, with two event times.
    cells.counts["missing"][rows] = np.maximum(expected - cells.counts["frames"][rows], 0)
    return _Closed(key_of(window_of(keys), sources.robot(source_of(keys))), cells, rows)


def _one_cell_a_robot(parts: list[_Closed]) -> list[_Closed]:
    """Make one cell of those of a robot's boots. Returns one part a layout."""
    keys, times = np.unique(np.concatenate([part.keys for part in parts]), return_counts=True)
    several = keys[times > 1]
    if not len(several):
        return parts
    merged: dict[Layout, list[_Closed]] = {}
    for part in parts:
        merged[part.cells.layout] = [part.part(~np.isin(part.keys, several))]
    for company, robots in by_company(several, [part.keys for part in parts]):
        chosen = [parts[number].part(np.isin(parts[number].keys, robots)) for number in company]
        layout = reduce(Layout.union, [part.cells.layout for part in chosen])
        merged.setdefault(layout, []).append(_booted(_joined(layout, chosen)))
    joined = [_joined(layout, found) for layout, found in merged.items()]
    return [part for part in joined if len(part.keys)]


def _joined(layout: Layout, parts: list[_Closed]) -> _Closed:
    """Parts as one, in a layout that holds theirs."""
    cells = concatenate([part.cells.take(part.rows).widened(layout) for part in parts])
    return _Closed(np.concatenate([part.keys for part in parts]), cells, np.arange(len(cells)))


def _booted(boots: _Closed) -> _Closed:
    """Each robot's cells, appended to one another by the time of their last frame."""
    tail = boots.cells.tail
    order = np.lexsort((tail["boot_id"], tail["last_time_us"], boots.keys))
    keys = boots.keys[order]
    runs = Runs.of(keys)
    merged = boots.cells.take(order[runs.starts])
    for robots, later in runs.steps():
        merged.append(robots, boots.cells.take(order[later]))
    return _Closed(keys[runs.starts], merged, np.arange(len(merged)))


def _of_layout(closed: _Closed, sources: Sources, kind: int, length_us: int) -> Iterator[Vitals]:
    robot, window = source_of(closed.keys), window_of(closed.keys)
    codes, shards = sources.codes(robot), sources.shards(robot)
    order = np.lexsort((codes, shards, window))
    codes, shards, start_us, rows = codes[order], shards[order], window[order] * length_us, closed.rows[order]
    plan = plan_of(closed.cells.layout)
    sizes = np.array([len(a.encode()) + len(b.encode()) for a, b in closed.cells.texts[rows].tolist()], np.int64)
    sizes += _ROBOT_BYTES + 2 * _TEXT_HEAD_BYTES + 4 * sum(len(slots) for slots in plan.keeping.values())
    for begin, end in _cuts(shards, start_us, sizes):
        cells = closed.cells.take(rows[begin:end])
        yield _packed(cells, codes[begin:end], int(shards[begin]), kind, int(start_us[begin]), length_us)


def _packed(cells: Cells, codes: Codes, shard: int, kind: int, start_us: int, length_us: int) -> Vitals:
    columns: dict[str, NDArray[Any]] = {"robot_id": codes}
    for table in (cells.head, cells.tail, cells.counts):
        columns |= {name: table[name] for name in table.dtype.names or ()}
    statistics = cells.statistics()
    return Vitals(
        v=VITALS_VERSION,
        shard=shard,
        layout=cells.layout.text,
        kind=kind,
        start_us=start_us,
        length_us=length_us,
        **{name: columns[name].astype(packed).tobytes() for name, packed in WINDOW_COLUMNS.items()},
        software=cells.texts[:, 0].tolist(),
        scenario=cells.texts[:, 1].tolist(),
        statistics=[statistics[s].astype("<f4", copy=False).tobytes() for s in STATISTICS],
    )


def _cuts(shards: Int64, start_us: Int64, sizes: Int64) -> Iterator[tuple[int, int]]:
    """Where each message begins and ends: one window of one shard, and within the size of a message."""
    changes = np.nonzero((np.diff(shards) != 0) | (np.diff(start_us) != 0))[0] + 1
    for begin, end in zip([0, *changes.tolist()], [*changes.tolist(), len(shards)], strict=True):
        message = np.cumsum(sizes[begin:end]) // MAX_MESSAGE_BYTES
        inner = (np.nonzero(np.diff(message))[0] + 1 + begin).tolist()
        yield from zip([begin, *inner], [*inner, end], strict=True)
