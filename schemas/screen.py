"""Screening: an impossible value inside a good frame is taken out and noted; its neighbours stay.

In: a layout and its rows × slots values. Out: the values with NaN in the impossible places, and where they
were. Called by the lander and the summariser, so that windows see just what the rows hold.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from schemas.columns import Float32, Int64
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
