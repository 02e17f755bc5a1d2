"""What a plot of an evaluated series shows. Made by the recordings, drawn by `deploy/evaluate/plot.py`."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from schemas.columns import Float32


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """`name` is the file's, without its ending. `train_s`: until then the series taught what is healthy."""

    name: str
    title: str
    seconds: NDArray[np.float64]
    signal: Float32
    signal_name: str
    score: Float32
    flag: NDArray[np.bool_]
    labels: NDArray[np.int8]
    label_name: str
    train_s: float


class LifePicture(msgspec.Struct, frozen=True, kw_only=True):
    """What was said of a cell's remaining cycles after each cycle, and what came. NaN: unknown. `end`: the cycle at
    which its life ended, None if it never did.
    """

    name: str
    title: str
    capacity_ah: NDArray[np.float64]
    end_of_life_ah: float
    remaining: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    end: int | None
