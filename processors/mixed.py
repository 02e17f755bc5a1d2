"""Frames of one batch in groups such that each cell's frames are in one group, of the layout of its pool.

In: the counted frames of a batch by layout, and the pools. Out: groups sorted by cell. As a rule that is what came
in. A robot whose layout changes inside a window is taken to the union of its layouts, with what its cell holds.
Called by `processors/windows.py`. Pure.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import reduce
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from processors.pools import Pools
from processors.runs import Runs, by_company
from schemas.columns import Extremes, Float32, Int64, LayoutGroup, joined
from schemas.layout import Layout

# Frames are gathered so many at a time, for then their readings stay in the processor's cache.
BLOCK = 256


@dataclass(frozen=True, slots=True)
class Sorted:
    """Frames of one layout sorted by cell, within a cell in the order of the partition.

    `rows` index the batch and `places` the rows of `values` and `extremes`; `keys` has one entry a run.
    """

    layout: Layout
    rows: Int64
    places: Int64
    keys: Int64
    runs: Runs
    values: Float32
    extremes: Extremes | None

    @classmethod
    def of(cls, group: LayoutGroup, key: Int64, places: Int64) -> "Sorted":
        """Sort the frames at `places` of a group, which `key` belongs to."""
        rows = group.rows[places]
        order = np.lexsort((rows, key))
        key = key[order]
        runs = Runs.of(key)
        return cls(group.layout, rows[order], places[order], key[runs.starts], runs, group.values, group.extremes)

    def part(self, chosen: NDArray[np.bool_]) -> "Sorted":
        """The frames of some of the runs."""
        kept = np.repeat(chosen, self.runs.lengths)
        runs = Runs.of_lengths(self.runs.lengths[chosen])
        return replace(self, rows=self.rows[kept], places=self.places[kept], keys=self.keys[chosen], runs=runs)

    def blocks(self) -> Iterator[tuple[slice, Runs, Float32, Extremes | None]]:
        """Some runs at a time: which they are, and their values and extremes in order."""
        bounds = np.searchsorted(self.runs.lasts, np.arange(0, len(self.rows), BLOCK)).tolist()
        for first, end in pairwise([*dict.fromkeys(bounds), len(self.keys)]):
            begin, stop = int(self.runs.starts[first]), int(self.runs.lasts[end - 1]) + 1
            runs = Runs(self.runs.starts[first:end] - begin, self.runs.lengths[first:end])
            places = self.places[begin:stop]
            yield (
                slice(first, end),
                runs,
                self.values.take(places, axis=0),
                self.extremes and self.extremes.at(places),
            )


def settle(groups: list[Sorted], pools: Pools) -> Iterator[Sorted]:
    """Yield the groups, regrouped where a cell's frames have several layouts; moves such cells in the pools."""
    troubled = _troubled(groups, pools)
    if not len(troubled):
        yield from groups
        return
    apart = []
    for group in groups:
        calm = ~np.isin(group.keys, troubled)
        if calm.any():
            yield group.part(calm)
        if not calm.all():
            apart.append(group.part(~calm))
    homes = pools.homes(troubled)
    layouts = [group.layout for group in apart] + [layout for layout, _ in homes]
    lists = [group.keys for group in apart] + [keys for _, keys in homes]
    for company, keys in by_company(troubled, lists):
        layout = reduce(Layout.union, [layouts[number] for number in company]).canonical
        for number in company:
            if number >= len(apart):
                pools.move(keys, layout)
        members = [apart[number] for number in company if number < len(apart)]
        yield _together(layout, [group.part(np.isin(group.keys, keys)) for group in members])


def _troubled(groups: list[Sorted], pools: Pools) -> Int64:
    """Keys that are in several groups, or whose cell is in the pool of another layout than their group's."""
    elsewhere = [group.keys[pools.elsewhere(group.keys, group.layout)] for group in groups]
    if len(groups) == 1:
        return elsewhere[0]
    keys, times = np.unique(np.concatenate([group.keys for group in groups]), return_counts=True)
    return np.union1d(keys[times > 1], np.concatenate(elsewhere))


def _together(layout: Layout, groups: list[Sorted]) -> Sorted:
    """Frames of several layouts as frames of one that holds them all; what a frame does not have is absent."""
    widened = []
    for group in groups:
        into, extremes = group.layout.slots_into(layout), group.extremes and group.extremes.at(group.places)
        widened.append(
            LayoutGroup(
                layout,
                group.rows,
                _widened(layout, into, group.values[group.places]),
                extremes
                and Extremes(_widened(layout, into, extremes.lowest), _widened(layout, into, extremes.highest)),
            )
        )
    key = np.concatenate([np.repeat(group.keys, group.runs.lengths) for group in groups])
    return Sorted.of(joined(widened), key, np.arange(len(key)))


def _widened(layout: Layout, into: list[int], narrow: Float32) -> Float32:
    wide = np.full((len(narrow), len(layout.slots)), np.nan, np.float32)
    wide[:, into] = narrow
    return wide
