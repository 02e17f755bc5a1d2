"""Whether what goes with episodes goes with them more than luck would have it.

In: a series' flags or values, and the rows where episodes begin. Out: what is found there, and what is found when
the series is moved in time by every lag round its circle: that keeps how flags and episodes cluster, and loses only
that they belong together. Pure; called by `deploy/evaluate/ur3.py`.
"""

import msgspec
import numpy as np
from numpy.typing import NDArray

from schemas.columns import Int64


class Met(msgspec.Struct, frozen=True):
    """The share of episodes with a flag where it is looked for; what luck gives; how often luck does as well."""

    share: float
    luck: float
    p: float


class Shift(msgspec.Struct, frozen=True):
    """How far the mean over the episodes is off what luck gives, in its standard deviations; `apart`: how often one
    episode is farther off in that direction than one other moment (0.5: it cannot be told from it).
    """

    deviations: float
    apart: float


def met(flags: NDArray[np.bool_], onsets: Int64, first: int, end: int) -> Met:
    """Flags in rows [onset + first, onset + end)."""
    has = window_sums(flags.astype(np.float64), first, end) > 0
    shares = _moved(has.astype(np.float64), onsets, end - first)
    share = float(has[onsets].mean())
    return Met(share, float(shares.mean()), float((1 + (shares >= share).sum()) / (1 + len(shares))))


def shift(values: NDArray[np.float64], onsets: Int64, first: int, end: int) -> Shift:
    """The mean of rows [onset + first, onset + end). `values` has no NaN, and no trend."""
    means = window_sums(values, first, end) / (end - first)
    moved = _moved(means, onsets, end - first)
    deviations = (means[onsets].mean() - moved.mean()) / max(moved.std(), 1e-12)
    others = np.sort(means)
    below = np.searchsorted(others, means[onsets], "left") + np.searchsorted(others, means[onsets], "right")
    ranks = float(below.mean()) / (2 * len(others))
    return Shift(float(deviations), ranks if deviations > 0 else 1 - ranks)


def window_sums(values: NDArray[np.float64], first: int, end: int) -> NDArray[np.float64]:
    """For each row the sum of rows [row + first, row + end), round the circle."""
    rows = len(values)
    sums = np.concatenate([[0.0], np.cumsum(np.concatenate([values, values, values]))])
    at = np.arange(rows) + rows
    windows: NDArray[np.float64] = sums[at + end] - sums[at + first]
    return windows


def _moved(values: NDArray[np.float64], onsets: Int64, window: int) -> NDArray[np.float64]:
    """The mean at the onsets for every lag that no longer overlaps with the window itself."""
    rows = len(values)
    lags = np.arange(window, rows - window)
    return np.array([values[(onsets + lag) % rows].mean() for lag in lags])
