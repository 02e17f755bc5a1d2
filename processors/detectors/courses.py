"""The state of the trends of a shard's robots: a course a wearing track, and the parameters it is learned by.

Read and replaced by `processors/detectors/trend.py`, which says what a course is and through which others get at
this; kept by the assessor. Arrays have one row a robot; courses of a part that is known to be replaced start anew.
"""

from dataclasses import dataclass, replace

import msgspec
import numpy as np
from numpy.typing import NDArray

from processors.detectors.arrays import Field
from schemas.columns import Float32, Int64

NEVER = -1


class Wearing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The parameters, all ours, each with its reason.

    `memory` observed days: a season, enough to tell a slope of a thousandth of the noise a day; what changes its
    pace sooner contradicts its course. `enough` days before anything is said: a slope through fewer is mostly
    noise. `commissioning` days until the value when new is known, for limits that are a multiple of it. `clearly`
    standard deviations towards the limit before a slope counts: 2 is once in 40 of those that do not move. `tails`:
    degrees of freedom of the noise; 4 is the usual choice for data with outliers. A course is contradicted when
    residuals beyond `slack` deviations have added up to `strain` on one side: by Siegmund's approximation once in
    140 000 days of independent noise, and five days after a jump of three deviations or more. `part`: a jump for
    the better by so much of the way from new to the limit is another part; a battery that recovers at rest gains
    less. `rate_spread`: over a future as long as the past that was watched the rate changes by a factor of two, as
    one standard deviation (as it does within the life of one NASA cell). `coverage` is in deviations: 80 % of a
    normal distribution. `horizon_days` and `sure`: a warning is raised when the limit comes within a month with
    80 %, said on two days in a row, time to order and plan, and taken back below even odds (`unsure`).
    `longest_days`: five years; beyond that nobody plans. `resolution` of the limit: the noise is no smaller.
    """

    memory: float = 90.0
    enough: int = 7
    commissioning: int = 14
    clearly: float = 2.0
    tails: float = 4.0
    slack: float = 0.5
    strain: float = 10.0
    part: float = 0.25
    rate_spread: float = 0.69
    coverage: float = 1.2816
    horizon_days: float = 30.0
    sure: float = 0.8
    unsure: float = 0.5
    longest_days: float = 1825.0
    resolution: float = 3e-4


@dataclass(frozen=True, slots=True)
class Courses:
    """R robots × K tracks. `day` is the robot's day that is not over, `total` and `epochs` its sum and count.

    A course: `first` and `last` observed day and how many in between (`days`); `level` at `last` and `slope` a day;
    `of_level`, `of_both`, `of_slope` their covariance in units of the `noise` variance; `residual` the last day's
    standardised one, `alike` and `power` the means of its product with the one before and with itself; `above` and
    `below` the CUSUMs of it; `heard` the days that the noise was learned from; `new` the level at the end of the
    commissioning, NaN before.
    What was said of it at `last`: `remaining`, `low`, `high` days, the `chance` of the limit within the horizon,
    and `due`, whether that is a warning.
    """

    day: NDArray[np.int32]
    total: Float32
    epochs: NDArray[np.int32]
    first: NDArray[np.int32]
    last: NDArray[np.int32]
    days: NDArray[np.int16]
    level: Float32
    slope: Float32
    of_level: Float32
    of_both: Float32
    of_slope: Float32
    noise: Float32
    residual: Float32
    alike: Float32
    power: Float32
    above: Float32
    below: Float32
    heard: NDArray[np.int16]
    new: Float32
    remaining: Float32
    low: Float32
    high: Float32
    chance: Float32
    due: NDArray[np.bool_]


# Also what a course that starts anew has.
FIELDS: dict[str, Field] = {
    "day": Field("<i4", NEVER),
    "total": Field("<f4", 0),
    "epochs": Field("<i4", 0),
    "first": Field("<i4", NEVER),
    "last": Field("<i4", NEVER),
    "days": Field("<i2", 0),
    **dict.fromkeys(
        (
            "level",
            "slope",
            "of_level",
            "of_both",
            "of_slope",
            "noise",
            "residual",
            "alike",
            "power",
            "above",
            "below",
        ),
        Field("<f4", 0),
    ),
    "heard": Field("<i2", 0),
    **dict.fromkeys(("new", "remaining", "low", "high", "chance"), Field("<f4", np.nan)),
    "due": Field("?", False),
}
OF_ROBOT = ("day",)  # the others are robots × tracks
OF_TRACK = tuple(name for name in FIELDS if name not in OF_ROBOT)


def empty(robots: int, tracks: int) -> Courses:
    """Nothing seen yet."""
    shapes = {name: (robots,) if name in OF_ROBOT else (robots, tracks) for name in FIELDS}
    return Courses(**{name: np.full(shapes[name], field.initial, field.kind) for name, field in FIELDS.items()})


def reset(state: Courses, rows: Int64, tracks: Int64) -> Courses:
    """Start the courses of `tracks` (K indices) of the robots at `rows` anew, for a part that was replaced."""
    changed = {}
    for name in OF_TRACK:
        changed[name] = getattr(state, name).copy()
        changed[name][np.ix_(rows, tracks)] = FIELDS[name].initial
    return replace(state, **changed)
