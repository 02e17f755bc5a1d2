"""Trend: where a slowly wearing value is going, and how long it has until its alarm limit.

In: the state, an epoch's value a robot and track, and where each track ends (`processors/detectors/ends.py`). Out:
the state with courses, each of which says a remaining time with an 80 % interval, or that it cannot tell. Called
by `processors/assessor.py` and by `robovitals evaluate`. Pure; a few numbers a track, robots side by side.

Epochs are averaged over a *day* (of event time; the NASA cells count a cycle as a day) and a day is learned once it
is over, so nothing is judged that could still change. The course is a level and a slope, learned by regression that
forgets (West and Harrison's discounted local linear trend). Noise is learned beside it, heavy tailed: a day that
lies far out counts less. Days resemble the day before, so what the fit believes of its accuracy is widened by the
residuals' own correlation. Remaining = distance / slope, with an interval from three uncertainties: level, slope,
and that no rate stays what it was (`Wearing.rate_spread`), which no fit can show.

It says *unknown* (NaN) with too few days, or with a slope that is not clearly towards the limit, and *more than
`longest_days`* (inf) when even the pessimistic end lies beyond. A course that its days contradict (a CUSUM of their
residuals: the wear has changed its pace, or the value has jumped) starts anew; what has jumped far for the better
is another part. A part that is known to be replaced: `reset`.
"""

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from processors.detectors.courses import NEVER, OF_TRACK, Courses, Wearing, empty, reset
from processors.detectors.ends import Ends
from schemas.columns import Float32, Int64

__all__ = ["DAY_US", "Courses", "Life", "Wearing", "empty", "life", "limits_of", "reset", "step"]

DAY_US = 86_400_000_000

_Float64 = NDArray[np.float64]
_Bool = NDArray[np.bool_]


class Life(NamedTuple):
    """R × K as of each robot's day. Days until the alarm limit: NaN unknown, inf beyond `Wearing.longest_days`
    (then `low` is that). `due` with the `chance` (0..1): the limit comes within the horizon.
    """

    remaining: Float32
    low: Float32
    high: Float32
    chance: Float32
    due: _Bool


_NO_SLOPE_YET = 1e4  # variance of the first slope, in noise variances: it says nothing
_MOST_ALIKE = 0.9  # beyond it the widening (1 + r) / (1 - r) has no meaning for a month of days
_WILDEST = 3.0  # a residual counts as no more where residuals are added up
_NOISE_FROM = 3  # two days make a line; the third is the first to lie off it


def step(
    state: Courses, time_us: int, value: Float32, ends: Ends, wearing: Wearing, unit_us: int = DAY_US
) -> tuple[Courses, _Bool]:
    """Take an epoch's values (R × K, NaN = absent), which belong to `time_us`. Returns whose day was closed.

    What is older than a robot's day is left out: a day that is over is never opened again.
    """
    day = time_us // unit_us
    over = state.day < day
    closed = over & (state.day != NEVER)
    if closed.any():
        state = _closed(state, np.nonzero(closed)[0], ends, wearing)
    there = ~np.isnan(value) & (state.day <= day)[:, None]
    begun = over[:, None]
    total = np.where(begun, np.float32(0), state.total) + np.where(there, value, np.float32(0))
    epochs = np.where(begun, np.int32(0), state.epochs) + there
    return replace(state, day=np.maximum(state.day, np.int32(day)), total=total, epochs=epochs), closed


def life(state: Courses) -> Life:
    """What the courses say as of each robot's day: the days since a track's last value are gone."""
    gone = np.where(state.last == NEVER, 0, state.day[:, None] - state.last - 1).astype(np.float32)
    remaining, low, high = (np.maximum(a - gone, 0) for a in (state.remaining, state.low, state.high))
    return Life(remaining, low, high, state.chance, state.due)


def _closed(state: Courses, rows: Int64, ends: Ends, wearing: Wearing) -> Courses:
    """Learn the day that is over of the robots at `rows`."""
    before = {name: getattr(state, name)[rows] for name in OF_TRACK}
    limit = ends.limit if len(ends.limit) == 1 else ends.limit[rows]
    seen = before["epochs"] > 0
    value = before["total"] / np.maximum(before["epochs"], 1)
    fresh = seen & (before["days"] == 0)
    learned = _learned(before, value.astype(np.float64), state.day[rows, None], limit, ends, wearing)
    learned = {name: np.where(fresh, begun, learned[name]) for name, begun in
               _begun(before, value, state.day[rows, None]).items()}  # fmt: skip
    after = before | {name: np.where(seen, new, before[name]) for name, new in learned.items()}
    after["new"] = np.where(
        seen & (after["days"] == wearing.commissioning) & np.isnan(after["new"]), after["level"], after["new"]
    )
    after |= _said(after, limit, ends, wearing)
    changed = {}
    for name in after.keys() - {"total", "epochs"}:
        array = getattr(state, name).copy()
        array[rows] = after[name]
        changed[name] = array
    return replace(state, **changed)


def _begun(before: dict[str, NDArray[Any]], value: Float32, day: NDArray[np.int32]) -> dict[str, NDArray[Any]]:
    """A course of one day. The noise that was learned stays known; a first course has none yet."""
    like = np.ones_like(value)
    kept = {name: before[name] for name in ("noise", "alike", "power", "new")}
    return kept | {
        "first": day * like, "last": day * like, "days": like, "heard": before["heard"] + 1, "level": value,
        "slope": 0 * like, "of_level": like, "of_both": 0 * like, "of_slope": _NO_SLOPE_YET * like,
        "residual": 0 * like, "above": 0 * like, "below": 0 * like,
    }  # fmt: skip


def _learned(
    before: dict[str, NDArray[Any]], value: _Float64, day: NDArray[np.int32], limit: Float32, ends: Ends,
    wearing: Wearing,
) -> dict[str, NDArray[Any]]:  # fmt: skip
    """Every course after one more day's value; meaningless where there was none, or no course before."""
    gap = np.maximum(day - before["last"], 1).astype(np.float64)
    of_level, of_both, of_slope = (before[name].astype(np.float64) for name in ("of_level", "of_both", "of_slope"))
    keep = np.exp(1 / wearing.memory)
    of_level = (of_level + 2 * gap * of_both + gap**2 * of_slope) * keep
    of_both = (of_both + gap * of_slope) * keep
    of_slope = of_slope * keep
    off = value - (before["level"] + before["slope"] * gap)
    end = _limit(before["new"], limit, ends)
    floor = (wearing.resolution * np.nan_to_num(np.abs(end))) ** 2
    known = before["heard"] >= wearing.enough
    far = off**2 / np.where(known, np.maximum(before["noise"], floor) * (of_level + 1), 1)
    weight = np.where(known, np.minimum((wearing.tails + 1) / (wearing.tails + far), 1), 1)
    spread = of_level + 1 / weight
    gain_level, gain_slope = of_level / spread, of_both / spread
    learned = _noise(before, weight * off**2, off, of_level + 1, floor, wearing) | {
        "first": before["first"], "last": day + 0 * before["last"], "days": _one_more(before["days"]),
        "level": value - off + gain_level * off, "slope": before["slope"] + gain_slope * off,
        "of_level": of_level - gain_level * of_level, "of_both": of_both - gain_level * of_both,
        "of_slope": of_slope - gain_slope * of_both, "new": before["new"],
    }  # fmt: skip
    contradicted = known & (np.maximum(learned["above"], learned["below"]) > wearing.strain)
    better = contradicted & (-off * ends.sign > wearing.part * np.abs(end - before["new"]))
    begun = _begun(before, value.astype(np.float32), day)
    begun["new"] = np.where(better, np.nan, before["new"])
    return {name: np.where(contradicted, begun[name], array) for name, array in learned.items()}


def _noise(
    before: dict[str, NDArray[Any]], square: _Float64, off: _Float64, spread: _Float64, floor: _Float64,
    wearing: Wearing,
) -> dict[str, NDArray[Any]]:  # fmt: skip
    """The noise and what its residuals say, after a day that was `off`, with `spread` noise variances expected."""
    heard = _one_more(before["heard"])
    early = before["days"] + 1 < _NOISE_FROM
    share = 1 / np.clip(heard - _NOISE_FROM + 1, 1, wearing.memory)
    noise = before["noise"] + share * (square / spread - before["noise"])
    noise = np.where(early, before["noise"], np.maximum(noise, floor))
    residual = np.where(early, 0, off / np.sqrt(np.where(noise > 0, noise, 1) * spread))
    moved = np.clip(residual / np.sqrt(_widening(before["alike"], before["power"])), -_WILDEST, _WILDEST)
    residual = np.clip(residual, -_WILDEST, _WILDEST)
    return {
        "heard": heard,
        "noise": noise,
        "residual": residual,
        "alike": before["alike"] + share * (residual * before["residual"] - before["alike"]),
        "power": before["power"] + share * (residual**2 - before["power"]),
        "above": np.maximum(before["above"] + moved - wearing.slack, 0),
        "below": np.maximum(before["below"] - moved - wearing.slack, 0),
    }


def _widening(alike: NDArray[Any], power: NDArray[Any]) -> _Float64:
    """By how much the variance of a mean is larger where days resemble the day before."""
    correlation = np.clip(alike / np.maximum(power, 1e-6), 0, _MOST_ALIKE)
    return np.asarray((1 + correlation) / (1 - correlation), np.float64)


def _one_more(count: NDArray[np.int16]) -> NDArray[np.int32]:
    return np.minimum(count.astype(np.int32) + 1, np.iinfo(np.int16).max)


def _limit(new: Float32, limit: Float32, ends: Ends) -> Float32:
    return np.where(np.isnan(limit), ends.factor * new, limit)


def limits_of(state: Courses, ends: Ends) -> Float32:
    """R × K: where each track ends, NaN where that is not known (yet)."""
    return _limit(state.new, ends.limit, ends)


def _said(course: dict[str, NDArray[Any]], limit: Float32, ends: Ends, wearing: Wearing) -> dict[str, NDArray[Any]]:
    """Remaining days with their interval, from a course as of its last day."""
    distance = (_limit(course["new"], limit, ends) - course["level"]) * ends.sign.astype(np.float64)
    rate = course["slope"] * ends.sign.astype(np.float64)
    variance = course["noise"] * _widening(course["alike"], course["power"])
    of_rate = np.sqrt(np.maximum(variance * course["of_slope"], 1e-30))
    of_distance = np.sqrt(np.maximum(variance * course["of_level"], 1e-30))
    watched = course["last"] - course["first"] + 1
    # Student's quantile from the normal one, by the first term of its expansion.
    z = wearing.coverage * (1 + (wearing.coverage**2 + 1) / (4 * np.maximum(course["days"] - 2, 1)))
    clear = rate > wearing.clearly * of_rate
    pace = np.where(clear, rate, 1)
    middle = np.maximum(distance, 0) / pace
    spread = np.sqrt(np.where(clear, of_rate / pace, 0) ** 2 + _change(middle, watched, wearing))
    low = np.maximum(distance - z * of_distance, 0) / pace * np.exp(-z * spread)
    high = np.maximum(distance + z * of_distance, 0) / pace * np.exp(z * spread)
    fastest = np.maximum(rate + z * of_rate, 1e-30)
    soonest = np.maximum(distance - z * of_distance, 0) / fastest * np.exp(-z * wearing.rate_spread)
    strained = np.maximum(course["above"], course["below"]) > wearing.strain / 2
    far = (np.where(clear, low, soonest) >= wearing.longest_days) & ~strained
    told = (course["days"] >= wearing.enough) & ~np.isnan(distance)
    chance = _chance(distance, of_distance, rate, spread, wearing)
    over = distance <= 0
    chance = np.where(told & (clear | over), chance, np.where(told & far, 0, np.nan))
    raised = (chance >= wearing.sure) & (course["chance"] >= wearing.sure) & ~over
    due = raised | (chance >= wearing.unsure) & course["due"]
    unknown = ~told | ~(clear | far | over)
    high = np.where(over & ~clear, 0, high)
    return {
        "remaining": np.where(unknown, np.nan, _capped(np.where(far, np.inf, middle), wearing)),
        "low": np.where(unknown, np.nan, np.minimum(np.where(far, np.inf, low), wearing.longest_days)),
        "high": np.where(unknown, np.nan, _capped(np.where(far, np.inf, high), wearing)),
        "chance": chance,
        "due": due & told,
    }


def _capped(days: _Float64, wearing: Wearing) -> _Float64:
    return np.where(days > wearing.longest_days, np.inf, days)


def _change(days: _Float64, watched: NDArray[np.int32], wearing: Wearing) -> _Float64:
    """Variance of the logarithm of the rate over the next `days`, when so many were watched."""
    return wearing.rate_spread**2 * np.minimum(days / watched, 1)


def _chance(
    distance: _Float64, of_distance: _Float64, rate: _Float64, spread: _Float64, wearing: Wearing
) -> _Float64:
    """The probability that the limit is reached within the horizon; 1 where it is behind."""
    ahead = np.maximum(distance, 1e-30)
    deviations = np.log(np.maximum(rate, 1e-30) * wearing.horizon_days / ahead)
    deviations = deviations / np.sqrt(spread**2 + (of_distance / ahead) ** 2)
    normal = 1 / (1 + np.exp(-1.702 * np.clip(deviations, -40, 40)))  # the normal distribution, within 0.01
    return np.where(distance <= 0, 1.0, normal)
