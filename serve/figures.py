"""Figures of a robot's windows that a person may ask for, as SQL aggregates.

In: a signal of the signal table with its joint and statistic, or the name of a count. Out: an aggregate over rows
of `vitals`, for `serve/queries/stretches.sql`. Nothing of it comes from outside: names are looked up, a joint is a
number.
"""

from schemas.signals import SIGNAL, Component, Statistic

# A stretch is one window or many: what fits both. The epochs of the slow detectors are means over their windows.
_OVER_WINDOWS = {
    Statistic.LAST: "avg({})",
    Statistic.MEAN: "avg({})",
    Statistic.MIN: "min({})",
    Statistic.MAX: "max({})",
    Statistic.RMS: "avg({})",
}
COUNTS = {
    "frames": "sum(frames)",
    "missing": "sum(missing)",
    "fault_frames": "sum(fault_frames)",
    "boots": "count(DISTINCT boot_id)",
}


def of_signal(signal: str, joint: int, statistic: Statistic) -> str:
    """A statistic of a signal; `joint` counts from 1, 0 where the signal is not a joint's. Raises KeyError."""
    column = f"{SIGNAL[signal].name}_{Statistic(statistic)}"
    is_joint = SIGNAL[signal].component is Component.JOINT
    return _OVER_WINDOWS[statistic].format(f"{column}[{int(joint)}]" if is_joint else column)


def of_count(name: str) -> str:
    """A count of frames or boots. Raises KeyError."""
    return COUNTS[name]
