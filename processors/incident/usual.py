"""What was usual for a robot, and how far the window is from it. Pure.

In: a `Window` and the `Past`. Out: how often its usual peak a channel reached, whether it left what was
usual at a moment, or had been rising for weeks. Called by `evidence.py`. Usual is the first half of the hours that
are known, five weeks at most, so that what crept or was changed lately is no part of it.
"""

from collections.abc import Sequence

import msgspec
import numpy as np

from processors.incident.case import Case, Channel, Float64, Past, Window

HOURS_AT_LEAST = 72
PEAK = 0.99  # of the hours' highest: a single wild hour is not what is usual
DAY_US = 86_400_000_000
TREND_DAYS = 14  # ours: "weeks"
TREND_TAU = 0.5  # Kendall's tau of the days' medians: rising on most pairs of days
TREND_RISE = 1.3  # the last days against the first
WEEK_US = 7 * DAY_US
STEP_HOURS = 4
STEP_AFTER, STEP_EARLIER = 0.2, 0.05  # of the hours; beyond PEAK is one in a hundred by luck
BEYOND = 1.5


class Course(msgspec.Struct, frozen=True):
    """How a channel came to the window: the median of its last three days over that of its first, and Kendall's tau
    of all its days' medians (-1 falling … 1 rising on every pair of days).
    """

    days: int
    rise: float
    tau: float

    @property
    def is_trend(self) -> bool:
        return self.days >= TREND_DAYS and self.tau >= TREND_TAU and self.rise >= TREND_RISE


def usual_peak(past: Past, channel: Channel) -> float | None:
    """None where too little is known."""
    values = past.highest.get(channel)
    if values is None:
        return None
    first = values[: len(values) // 2]
    first = first[np.isfinite(first)]
    if len(first) < HOURS_AT_LEAST:
        return None
    return float(np.quantile(first, PEAK))


def reached(case: Case, channel: Channel) -> float | None:
    """The window's highest magnitude, in usual peaks; None where it or the past is not known."""
    usual = usual_peak(case.past, channel)
    values = case.window.readings.get(channel)
    if usual is None or values is None or not usual > 0:
        return None
    known = np.abs(values[np.isfinite(values)])
    return float(known.max() / usual) if len(known) else None


def beyond_since(window: Window, past: Past, channel: Channel) -> int | None:
    """When in the window the channel first went far beyond its usual peak."""
    usual, values = usual_peak(past, channel), window.readings.get(channel)
    if usual is None or values is None:
        return None
    rows = np.nonzero(np.abs(np.nan_to_num(values)) > BEYOND * usual)[0]
    return int(window.time_us[rows[0]]) if len(rows) else None


def course(past: Past, channel: Channel) -> Course:
    """By days, since hours follow the work that is done."""
    values = past.level.get(channel)
    if values is None:
        return Course(0, 1.0, 0.0)
    days = _daily(past, np.abs(values))
    if len(days) < TREND_DAYS:
        return Course(len(days), 1.0, 0.0)
    first, last = float(np.median(days[:3])), float(np.median(days[-3:]))
    after = np.sign(days[None, :] - days[:, None])[np.triu_indices(len(days), 1)]
    return Course(len(days), last / first if first > 0 else 1.0, float(after.mean()))


def stepped(past: Past, channel: Channel, at_us: int) -> bool:
    """Whether it went beyond its usual peak from that hour on, in a good part of the hours, and hardly ever in the
    week before.
    """
    usual, values = usual_peak(past, channel), past.highest.get(channel)
    if usual is None or values is None:
        return False
    known = np.isfinite(values)
    after = known & (past.hour_us >= at_us)
    earlier = known & (past.hour_us < at_us) & (past.hour_us >= at_us - WEEK_US)
    if after.sum() < STEP_HOURS or earlier.sum() < STEP_HOURS:
        return False
    beyond = values > usual
    return bool(beyond[after].mean() >= STEP_AFTER and beyond[earlier].mean() <= STEP_EARLIER)


def latest_change(past: Past, told: Sequence[str]) -> tuple[int, str, str] | None:
    """Of `software` or `work`: its hour, and what was told before and after."""
    for hour in range(len(told) - 1, 0, -1):
        if told[hour] != told[hour - 1]:
            return int(past.hour_us[hour]), told[hour - 1], told[hour]
    return None


def _daily(past: Past, values: Float64) -> Float64:
    known = np.isfinite(values)
    days, which = np.unique(past.hour_us[known] // DAY_US, return_inverse=True)
    return np.array([np.median(values[known][which == day]) for day in range(len(days))])
