"""Pools: all open cells of a partition, a pool of them for each layout, found by key.

A cell's key is its window's number and its source's, so that sorted keys are sorted by window. Each open cell is in
just one pool. Called by `processors/windows.py` and `processors/mixed.py`. Pure.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from processors.cells import Cells
from schemas.columns import Int64
from schemas.layout import Layout

SOURCE_BITS = 28  # the rest of 63 bits, 2^35 windows, reaches past the year 2255 for windows of a second

_NOWHERE = -1


def key_of(window: Int64, source: Int64) -> Int64:
    """The key of a source's cell in a window: windows are numbered from 1970."""
    return (window << SOURCE_BITS) | source


def window_of(key: Int64) -> Int64:
    """The number of the window."""
    return key >> SOURCE_BITS


def source_of(key: Int64) -> Int64:
    """The number of the source."""
    return key & ((1 << SOURCE_BITS) - 1)


@dataclass(slots=True)
class _Pool:
    """`free` are the rows of `cells` that no key has."""

    cells: Cells
    free: Int64

    def claim(self, count: int) -> Int64:
        """Rows for `count` new cells, cleared."""
        if count > len(self.free):
            size = len(self.cells)
            larger = max(2 * size, size + count, 64)  # no memory is taken up until a row is used
            self.cells = self.cells.resized(larger)
            self.free = np.concatenate([self.free, np.arange(size, larger)])
        rows, self.free = self.free[:count], self.free[count:]
        self.cells.clear(rows)
        return rows


class Pools:
    """`keys` are sorted; `_home` and `_row` say for each the pool's number and the row in it."""

    def __init__(self) -> None:
        self.keys: Int64 = np.empty(0, np.int64)
        self._home: Int64 = np.empty(0, np.int64)
        self._row: Int64 = np.empty(0, np.int64)
        self._pools: dict[int, _Pool] = {}
        self._numbers: dict[Layout, int] = {}
        self._next = 0

    def elsewhere(self, keys: Int64, layout: Layout) -> NDArray[np.bool_]:
        """Which of the keys have their cell in the pool of another layout."""
        _, home = self._find(keys)
        other: NDArray[np.bool_] = (home != _NOWHERE) & (home != self._numbers.get(layout, _NOWHERE))
        return other

    def homes(self, keys: Int64) -> list[tuple[Layout, Int64]]:
        """The keys that have a cell, by the layout of its pool."""
        _, home = self._find(keys)
        return [
            (self._pools[number].cells.layout, keys[home == number])
            for number in np.unique(home[home != _NOWHERE]).tolist()
        ]

    def cells(self, keys: Int64, layout: Layout, head: NDArray[np.void]) -> tuple[Cells, Int64]:
        """The pool of `layout` and the rows of sorted keys in it. New keys get a cell that begins with their entry
        of `head`; none may be elsewhere.
        """
        at, home = self._find(keys)
        pool = self._pool(layout)
        rows = np.empty(len(keys), np.int64)
        known = home != _NOWHERE
        rows[known] = self._row[at[known]]
        new = ~known
        if new.any():
            rows[new] = pool.claim(int(new.sum()))
            pool.cells.head[rows[new]] = head[new]
            self.keys = np.insert(self.keys, at[new], keys[new])
            self._home = np.insert(self._home, at[new], self._numbers[layout])
            self._row = np.insert(self._row, at[new], rows[new])
        return pool.cells, rows

    def move(self, keys: Int64, layout: Layout) -> None:
        """Take the cells of `keys` (all of one home) to the pool of a layout that holds theirs."""
        at, home = self._find(keys)
        old, new = self._pools[int(home[0])], self._pool(layout)
        if old is new:
            return
        cells = old.cells.take(self._row[at])
        old.free = np.concatenate([old.free, self._row[at]])
        rows = new.claim(len(keys))
        new.cells.put(rows, cells.widened(layout))
        self._home[at], self._row[at] = self._numbers[layout], rows

    def places(self, at: Int64) -> list[tuple[Int64, Cells, Int64]]:
        """Where the cells at places of `keys` are: for each pool (keys, its cells, rows of them)."""
        found = []
        for number in np.unique(self._home[at]).tolist():
            chosen = at[self._home[at] == number]
            found.append((self.keys[chosen], self._pools[number].cells, self._row[chosen]))
        return found

    def column(self, table: str, name: str) -> Int64:
        """One column of `head` or `counts` for every key."""
        values = np.empty(len(self.keys), np.int64)
        for number, pool in self._pools.items():
            mine = self._home == number
            values[mine] = getattr(pool.cells, table)[name][self._row[mine]]
        return values

    def mark_told(self, at: Int64) -> None:
        """Note that the cells at places of `keys` have been emitted with the frames they have now."""
        for number in np.unique(self._home[at]).tolist():
            rows = self._row[at[self._home[at] == number]]
            counts = self._pools[number].cells.counts
            counts["told"][rows] = counts["frames"][rows]

    def drop(self, at: Int64) -> None:
        """Free the cells at places of `keys`; a pool without cells goes, for layouts come and go."""
        for number in np.unique(self._home[at]).tolist():
            pool = self._pools[number]
            pool.free = np.concatenate([self._row[at[self._home[at] == number]], pool.free])
        self.keys, self._home, self._row = (np.delete(a, at) for a in (self.keys, self._home, self._row))
        for number, pool in list(self._pools.items()):
            if len(pool.free) == len(pool.cells) and len(self._pools) > 1:
                del self._pools[number], self._numbers[pool.cells.layout]

    def renumber(self, sources: Int64) -> None:
        """Give each source its new number; their order stays."""
        self.keys = key_of(window_of(self.keys), sources[source_of(self.keys)])

    def _find(self, keys: Int64) -> tuple[Int64, Int64]:
        """Where each key is, or would be inserted, and its pool's number, _NOWHERE where it has no cell."""
        at = np.searchsorted(self.keys, keys)
        within = np.minimum(at, len(self.keys) - 1)
        if not len(self.keys):
            return at, np.full(len(keys), _NOWHERE)
        return at, np.where(self.keys[within] == keys, self._home[within], _NOWHERE)

    def _pool(self, layout: Layout) -> _Pool:
        if layout not in self._numbers:
            self._numbers[layout] = self._next
            self._pools[self._next] = _Pool(Cells.empty(layout, 0), np.empty(0, np.int64))
            self._next += 1
        return self._pools[self._numbers[layout]]
