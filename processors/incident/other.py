"""Other causes than software and neglected maintenance, and signs of them in the window. Pure.

In: a `Case`. Out: `Other`s, each not excluded, some with a sign. Called by `verdict.py`, which determines nothing
where there is a sign. Nothing here proves a cause.
"""

import numpy as np

from processors.incident.case import Case, Channel
from processors.incident.usual import beyond_since, reached, usual_peak
from schemas.incident import Other
from schemas.signals import MODES

TOGETHER_US = 300_000
JOINTS_HIT = 3
LOADED = 1.3
HASTY = 1.2
UNHURRIED = 1.3
TELEOPERATED = MODES.index("teleoperated")
_CURRENT, _SPEED = "joint_current_a", "joint_velocity_rad_s"
_SHOCKS = (_CURRENT, "joint_vibration_mm_s")


def others(case: Case) -> list[Other]:
    tampering = "the logbook or the seal of its frames does not hold" if case.integrity is False else ""
    return [
        Other("a manufacturing defect"),
        Other("an overload", _overload(case)),
        Other("an impact", _impact(case)),
        Other("tampering", tampering),
        Other("operation by hand", _by_hand(case)),
    ]


def _impact(case: Case) -> str:
    """Loads of several joints at one moment, not driven there: most were as fast as usual until then."""
    hit: dict[str, int] = {}
    for part, signal in case.window.readings:
        if signal in _SHOCKS and (since := beyond_since(case.window, case.past, (part, signal))) is not None:
            hit[part] = min(since, hit.get(part, since))
    driven = {part for part in hit if _was_driven(case, part, hit[part])}
    times = np.sort(np.array([since for part, since in hit.items() if part not in driven], np.int64))
    for first in range(len(times) - JOINTS_HIT + 1):
        if times[first + JOINTS_HIT - 1] - times[first] <= TOGETHER_US:
            return f"the loads of {JOINTS_HIT} joints or more leapt within {TOGETHER_US / 1e6:g} s"
    return ""


def _was_driven(case: Case, part: str, since_us: int) -> bool:
    """Whether it was faster than usual before its load leapt."""
    channel: Channel = (part, _SPEED)
    values, usual = case.window.readings.get(channel), usual_peak(case.past, channel)
    if values is None or usual is None:
        return False
    earlier = np.abs(values[case.window.time_us < since_us])
    return bool(len(earlier) and np.nanmax(earlier) > UNHURRIED * usual)


def _by_hand(case: Case) -> str:
    """A person drove it, and faster than usual."""
    earlier = case.window.mode[case.window.time_us < case.at_us]
    fast = [part for part, signal in case.window.readings
            if signal == _SPEED and (reached(case, (part, _SPEED)) or 0) > HASTY]  # fmt: skip
    if not fast or not (earlier == TELEOPERATED).any():
        return ""
    return f"it was teleoperated, and {fast[0]} was faster than usual"


def _overload(case: Case) -> str:
    """A current far beyond the usual at no more than the usual speed. (Hours keep no extremes of torque.)"""
    for part, signal in case.window.readings:
        if signal != _CURRENT:
            continue
        current, speed = reached(case, (part, _CURRENT)), reached(case, (part, _SPEED))
        if current is not None and current > LOADED and (speed is None or speed < UNHURRIED):
            return f"{part} took {current:.1f} times its usual highest current at {speed or 0:.1f} times its speed"
    return ""
