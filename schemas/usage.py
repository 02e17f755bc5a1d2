"""What a robot was used for: hours become intervals of one scenario, with operating time and load. Pure.

In: a robot's hours by columns, in the order of time. Out: a `Usage`. Called by whoever shows it: the page, the API,
the command line, the history report.

- Operating time is what the counter gains, never what was seen: a gain beyond the time that passed is cut to it,
  and a counter that falls counts what it shows anew where that fits, else nothing.
- What it gained while nothing was told is kept apart (`unlogged_s`), and no scenario's.
- Silence of more than GAP_S ends an interval: nobody knows what the robot was used for.
- Load is an **estimate** and relative: torque (or current, without torque) of a robot's hours against its own
  median working hour, which is 1. What its joints are rated for, no frame tells.
"""

from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from schemas.columns import ABSENT, Int64, Texts

Float64 = NDArray[np.float64]

HOUR_S, HOUR_US = 3600, 3_600_000_000
GAP_S = 7 * 86_400  # ours: a works holiday is one use, a shipment is not
WORKING_S = HOUR_S / 2  # of an hour: so much of it makes it a working one


@dataclass(frozen=True, slots=True)
class Hours:
    """n hours. `start_us`: where each begins; `runtime_s`: the counter at its end, ABSENT without; `load`: mean
    over joints of their torque or current (rms), NaN without.
    """

    start_us: Int64
    runtime_s: Int64
    scenario: Texts
    load: Float64


class Used(msgspec.Struct, frozen=True, kw_only=True):
    """An interval of one scenario, empty where the robot told of none. `hours`: how many hours of it were heard of.

    `used_s`: operating time while it was heard; `unlogged_s`: what the counter gained in between. `load`: mean load
    while it worked, against its own median working hour (estimate); None: unknown.
    """

    scenario: str
    from_us: int
    until_us: int
    hours: int
    used_s: int
    unlogged_s: int
    load: float | None


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing was heard. `unlogged_s`: what the counter gained across it."""

    from_us: int
    until_us: int
    unlogged_s: int


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Intervals and the gaps between them, each in the order of time."""

    used: tuple[Used, ...] = ()
    gaps: tuple[Gap, ...] = ()


def usage(hours: Hours) -> Usage:
    """Of hours without any, nothing."""
    count = len(hours.start_us)
    if not count:
        return Usage()
    missing_s = np.zeros(count, np.int64)
    missing_s[1:] = np.maximum(np.diff(hours.start_us) // 1_000_000 - HOUR_S, 0)
    used_s, unlogged_s = _gained(hours, missing_s)
    is_gap = missing_s > GAP_S
    changes = np.ones(count, bool)
    changes[1:] = (np.diff(hours.scenario.codes) != 0) | is_gap[1:]
    begins = np.nonzero(changes)[0]
    ends = np.append(begins[1:], count)
    of_interval_s = np.where(is_gap, 0, unlogged_s)
    sums = [np.add.reduceat(values, begins).tolist() for values in (used_s, of_interval_s)]
    loads = _loads(hours.load, used_s, begins)
    starts, codes = hours.start_us.tolist(), hours.scenario.codes.tolist()
    return Usage(
        used=tuple(
            Used(
                scenario=hours.scenario.values[codes[begin]],
                from_us=starts[begin],
                until_us=starts[end - 1] + HOUR_US,
                hours=end - begin,
                used_s=used,
                unlogged_s=unlogged,
                load=load,
            )
            for begin, end, used, unlogged, load in zip(begins.tolist(), ends.tolist(), *sums, loads, strict=True)
        ),
        gaps=tuple(
            Gap(from_us=starts[at - 1] + HOUR_US, until_us=starts[at], unlogged_s=int(unlogged_s[at]))
            for at in np.nonzero(is_gap)[0].tolist()
        ),
    )


def _gained(hours: Hours, missing_s: Int64) -> tuple[Int64, Int64]:
    """What the counter gained in each hour, and across what is missing before it, in s."""
    told, at = hours.runtime_s != ABSENT, np.arange(len(hours.start_us))
    # Of each hour the last one before it that told the counter; -1: none.
    before = np.append(-1, np.maximum.accumulate(np.where(told, at, -1))[:-1])
    known, before = told & (before >= 0), np.maximum(before, 0)
    passed_s = (hours.start_us - hours.start_us[before]) // 1_000_000
    silent_s = np.cumsum(missing_s)
    silent_s = silent_s - silent_s[before]
    gain = hours.runtime_s - hours.runtime_s[before]
    anew = np.where(hours.runtime_s <= passed_s, hours.runtime_s, 0)
    gain = np.where(known, np.minimum(np.where(gain < 0, anew, gain), passed_s), 0)
    used_s = np.minimum(gain, passed_s - silent_s)
    return used_s, gain - used_s


def _loads(load: Float64, used_s: Int64, begins: Int64) -> list[float | None]:
    """Of each interval the mean over its operating time."""
    there = np.isfinite(load)
    working = load[there & (used_s >= WORKING_S)]
    typical = float(np.median(working)) if len(working) else 0.0
    if typical <= 0:
        return [None] * len(begins)
    weight = np.where(there, used_s, 0)
    total = np.add.reduceat(np.where(there, load, 0.0) * weight, begins) / typical
    weights = np.add.reduceat(weight, begins)
    return [round(of / by, 3) if by else None for of, by in zip(total.tolist(), weights.tolist(), strict=True)]
