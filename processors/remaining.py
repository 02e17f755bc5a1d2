"""Remaining life of a robot's components, from the courses of its wearing signals, in a technician's words.

In: what the trend says of a shard's tracks (`processors/detectors/trend.py`). Out: a `RemainingLife` a component.
Called by `processors/health.py`. A component lives as long as the first of its signals; where that is not known,
the component's is not known either.
"""

import math
from typing import NamedTuple

import numpy as np

from processors.detectors.arrays import exact
from processors.detectors.trend import Life
from processors.wording import unit_of, words_of
from schemas.columns import Float32
from schemas.health import RemainingLife
from schemas.signals import SIGNAL

_MONTH_DAYS, _YEAR_DAYS = 30.44, 365.25


class Lives(NamedTuple):
    """Of the robots of a shard. `signals` and `components` (paths) of the tracks; `limit` (robots × tracks): where
    each ends (`trend.limits_of`).
    """

    signals: tuple[str, ...]
    components: tuple[str, ...]
    life: Life
    limit: Float32


def remaining_of(lives: Lives, row: int) -> dict[str, RemainingLife]:
    """By component, for the robot at `row`. A track without an end says nothing of its component."""
    days, low, high = (array[row].tolist() for array in lives.life[:3])
    first: dict[str, int] = {}
    for k in np.nonzero(~np.isnan(lives.limit[row]))[0].tolist():
        other = first.setdefault(lives.components[k], k)
        if _order(days[k], low[k]) < _order(days[other], low[other]):
            first[lives.components[k]] = k
    return {
        component: _remaining(lives.signals[k], days[k], low[k], high[k], exact(lives.limit[row, k]) or 0.0)
        for component, k in first.items()
    }


def _order(days: float, low: float) -> tuple[int, float]:
    """What has a date first, then what is unknown, then what is longer than anybody plans."""
    if math.isnan(days):
        return 1, 0.0
    return (2, low) if math.isinf(days) else (0, days)


def _remaining(signal: str, days: float, low: float, high: float, limit: float) -> RemainingLife:
    return RemainingLife(
        signal=signal,
        days=_finite(days),
        low=None if math.isnan(low) else _rounded(low),
        high=_finite(high),
        limit=limit,
        text=_text(signal, days, low, high, limit),
    )


def _text(signal: str, days: float, low: float, high: float, limit: float) -> str:
    subject = f"estimated {words_of(signal)}" if SIGNAL[signal].estimate else words_of(signal)
    end = f"{limit:.4g} {unit_of(signal)}".rstrip()
    if math.isnan(days):
        return f"unknown: the course of {subject} does not tell yet when it reaches {end}"
    if days == 0:
        return f"none: {subject} has reached {end}"
    until = f"until {subject} reaches {end}"
    if math.isinf(days):
        return f"more than {duration(low)} {until}"
    latest = f"to {duration(high)}" if math.isfinite(high) else "and no end in sight"
    return f"about {duration(days)} {until} (80 %: {duration(low)} {latest})"


def duration(days: float) -> str:
    """As precise as such an estimate can be: days, then months, then years."""
    if days < 1:
        return "less than a day"
    if round(days) < 90:
        return "1 day" if round(days) == 1 else f"{days:.0f} days"
    if days < 2 * _YEAR_DAYS:
        return f"{days / _MONTH_DAYS:.0f} months"
    return f"{days / _YEAR_DAYS:.1f} years".replace(".0 ", " ")


def _finite(days: float) -> float | None:
    return _rounded(days) if math.isfinite(days) else None


def _rounded(days: float) -> float:
    """A tenth of a day: what is more is not meant."""
    return round(days, 1)
