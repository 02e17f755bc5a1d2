"""Hours of joints and battery to levels of a day: what a part is like, without an hour's noise.

In: `Hours` and the `Joints` beside them. Out: `Levels`, a row a day with data. Called by whoever loads lives, and
read by `hidden.py`.

An hour after the robot has stood still does not count, for cold grease is stiff; nor one in which it hardly worked.
"""

from dataclasses import dataclass

import numpy as np

from schemas.columns import Float32, Int64
from schemas.hours import DAY_US, HOUR_US, Hours, Joints

WORKED_S = 600.0
"""Ours: with less work in it an hour says nothing about friction."""


@dataclass(frozen=True, slots=True)
class Levels:
    """`day` counts from 1970. Days × joints: `wear`, `backlash`, `friction`. Days: the battery's. NaN: unknown."""

    day: Int64
    wear: Float32
    backlash: Float32
    friction: Float32
    soh: Float32
    resistance: Float32

    def __len__(self) -> int:
        return len(self.day)


def levels(hours: Hours, joints: Joints, at: Int64 | None = None) -> Levels:
    """Of each day the mean over its hours that count. `at`: which hours `joints` is of, where it is not all."""
    chosen = np.arange(len(hours)) if at is None else at
    if not len(chosen):
        empty = np.empty((0, joints.wear.shape[1]), np.float32)
        none = np.empty(0, np.float32)
        return Levels(np.empty(0, np.int64), empty, empty, empty, none, none)
    day = hours.start_us[chosen] // DAY_US
    begins = np.concatenate([[0], np.nonzero(day[1:] != day[:-1])[0] + 1])
    warm = np.ones(len(hours), bool)
    warm[1:] = hours.start_us[1:] - hours.start_us[:-1] <= HOUR_US
    worked = np.where(np.isnan(hours.active_s), hours.seen_s, hours.active_s) >= WORKED_S
    counts = (warm & worked)[chosen]
    return Levels(
        day[begins],
        _means(joints.wear, begins, counts),
        _means(joints.backlash, begins, counts),
        _means(joints.friction, begins, counts),
        _means(joints.soh[:, None], begins, counts)[:, 0],
        _means(joints.resistance[:, None], begins, counts)[:, 0],
    )


def _means(values: Float32, begins: Int64, counts: "np.typing.NDArray[np.bool_]") -> Float32:
    good = counts[:, None] & ~np.isnan(values)
    total = np.add.reduceat(np.where(good, values, np.float32(0)), begins, axis=0)
    number = np.add.reduceat(good, begins, axis=0, dtype=np.float32)
    return np.divide(total, number, out=np.full_like(total, np.nan), where=number > 0)
