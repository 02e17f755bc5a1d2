"""What the slow detectors have in common: how their state is described, and small steps of statistics.

State is a dictionary of arrays by name; a detector reads its own and returns them anew. NaN is absent throughout.
Used by the detectors; `processors/detectors/watch.py` makes and keeps the state.
"""

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.columns import Float32

Arrays = dict[str, Any]  # numpy arrays
Bools = NDArray[np.bool_]


class Field(NamedTuple):
    """One array of the state, robots × tracks: the type it is kept as and what a newcomer has. What is in standard
    deviations of health is kept in half precision, and computed in single.
    """

    kind: str
    initial: float


class Mark(NamedTuple):
    """What a detector says of each track: `score` 0..1, 0.5 at the threshold, NaN where it cannot tell; `flag` with
    hysteresis; `side` 1 above, -1 below, 0 neither.
    """

    score: Float32
    flag: Bools
    side: NDArray[np.int8]


ONE, ZERO = np.float32(1), np.float32(0)


@lru_cache(maxsize=64)
def weight(span: int) -> np.float32:
    """The weight of the newest value in an exponential mean over `span` values."""
    return np.float32(2 / (span + 1))


def smoothed(before: Float32, value: Float32, by: np.float32 | Float32) -> Float32:
    """An exponential mean after one more value; one that is absent changes nothing."""
    after = before + by * (value - before)
    missing = np.isnan(after)
    return np.where(missing, before, after) if np.count_nonzero(missing) else after


def known(value: Float32) -> Float32:
    """Zero where it is absent: that teaches nothing."""
    return np.where(np.isnan(value), ZERO, value)


def clipped(value: Float32, most: Float32 | np.float32) -> Float32:
    """Between -most and most; cheaper than numpy's clip for what is small."""
    return np.minimum(np.maximum(value, -most), most)


def sides(value: Float32) -> NDArray[np.int8]:
    """1 above zero, -1 below, 0 for zero and NaN."""
    return (value > 0).astype(np.int8) - (value < 0)


def marked(statistic: Float32, threshold: Float32 | float, active: Bools, release: float) -> tuple[Float32, Bools]:
    """Score and flag of a statistic (NaN: the flag stays as it was)."""
    score = np.minimum(statistic / (2 * threshold), ONE)
    flag = score >= np.where(active, np.float32(release / 2), np.float32(0.5))
    missing = np.isnan(score)
    return score, np.where(missing, active, flag) if np.count_nonzero(missing) else flag


def exact(value: np.float32) -> float | None:
    """A float32 as the shortest decimal that means it (0.8, not 0.800000011920929); None for NaN."""
    return None if np.isnan(value) else float(str(value))
