"""Screening: an impossible value inside a good frame is taken out and noted; its neighbours stay.

In: a layout and its rows × slots values. Out: the values with NaN in the impossible places, and where they
were. Called by the lander and the summariser, so that windows see just what the rows hold.

Extremes stand beside a value that is present and possible, and hold it: the lowest is not above it, the highest not
below. One that is absent gives way to the value itself. One that is impossible does so too and is noted, and so do
both where the lowest lies above the highest, for which of them is wrong cannot be known.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from schemas.columns import Extremes, Float32, Int64, LayoutGroup
from schemas.layout import Layout


@dataclass(frozen=True, slots=True)
class Impossible:
    """The readings taken out: `row` and `slot` index the matrix, `value` is what stood there."""

    row: Int64
    slot: Int64
    value: Float32


_NOTHING = Impossible(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))


@lru_cache(maxsize=4096)
def _bounds(layout: Layout) -> tuple[Float32, Float32]:
    low = np.array([slot.signal.low for slot in layout.slots], np.float32)
    high = np.array([slot.signal.high for slot in layout.slots], np.float32)
    return low, high


def screen(layout: Layout, values: Float32) -> tuple[Float32, Impossible]:
    """Take out what is infinite or outside its signal's physical range (`schemas/signals.py`).

    `values` is rows × slots and stays as it is; where something is taken out the result is a copy.
    """
    low, high = _bounds(layout)
    possible = (values >= low) & (values <= high)
    if possible.all():
        return values, _NOTHING
    row, slot = np.nonzero(~possible & ~np.isnan(values))
    if not len(row):
        return values, _NOTHING
    screened = values.copy()
    screened[row, slot] = np.nan
    return screened, Impossible(row, slot, values[row, slot])


def screen_group(group: LayoutGroup) -> tuple[LayoutGroup, Impossible]:
    """The same for a group of frames, with their extremes: at most one note a reading."""
    values, impossible = screen(group.layout, group.values)
    if group.extremes is None:
        return (group if values is group.values else replace(group, values=values)), impossible
    extremes, further = _screen_extremes(group.layout, values, group.extremes)
    noted = (
        np.concatenate([getattr(impossible, name), getattr(further, name)]) for name in ("row", "slot", "value")
    )
    return replace(group, values=values, extremes=extremes), Impossible(*noted)


def _screen_extremes(layout: Layout, values: Float32, given: Extremes) -> tuple[Extremes, Impossible]:
    low, high = _bounds(layout)
    lowest, highest = given.lowest, given.highest
    crossed = lowest > highest
    # NaN is absent: neither below nor above anything.
    wrong_lowest = (lowest < low) | (lowest > high) | crossed
    wrong_highest = (highest < low) | (highest > high) | crossed
    absent = np.isnan(values)
    row, slot = np.nonzero((wrong_lowest | wrong_highest) & ~absent)
    kept = Extremes(
        np.where(absent | wrong_lowest, values, np.fmin(lowest, values)),
        np.where(absent | wrong_highest, values, np.fmax(highest, values)),
    )
    return kept, Impossible(row, slot, np.where(wrong_lowest, lowest, highest)[row, slot])
