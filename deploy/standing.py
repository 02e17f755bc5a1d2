"""How a component's latest values stand to its limits: what its zone follows from.

In: a row of `vitals`, the limits and a component. Out: one `Standing` a limited side of a signal that had a value.
Called by `deploy/explain.py` and its command. Pure.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from schemas.limits import MODEL_LENGTH, SIDES, Limits
from schemas.signals import SIGNALS, Component, Signal, Statistic

# The statistic that shows a side best, of those that a signal keeps (as in `processors/shard_window.py`).
EXTREMES = {
    "above": (Statistic.MAX, Statistic.LAST, Statistic.MEAN, Statistic.RMS, Statistic.MIN),
    "below": (Statistic.MIN, Statistic.LAST, Statistic.MEAN, Statistic.RMS, Statistic.MAX),
}


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A signal's extreme of the window that began at `time`, against the limits of one side."""

    signal: str
    side: str
    value: float
    unit: str
    warn: float
    alarm: float
    time: datetime


def joint_of(component: str) -> int:
    """The number in `joint/3`; 0 for what is not a joint."""
    return int(component.partition("/")[2] or 0)


def extreme(signal: Signal, side: str) -> Statistic:
    return next(statistic for statistic in EXTREMES[side] if statistic in signal.statistics)


def standings(component: str, window: Mapping[str, Any], limits: Limits) -> list[Standing]:
    """In the order of the signal table."""
    model, found = str(window["robot_id"])[:MODEL_LENGTH], []
    for signal in SIGNALS:
        if signal.component.value != component.partition("/")[0]:
            continue
        for side in SIDES:
            limit, value = limits.limit(model, signal.name, side), _value(signal, side, component, window)
            if limit is not None and value is not None:
                unit = "" if signal.unit == "1" else signal.unit
                found.append(
                    Standing(
                        signal=signal.name, side=side, value=value, unit=unit, warn=limit.warn, alarm=limit.alarm,
                        time=window["start"],
                    )
                )  # fmt: skip
    return found


def _value(signal: Signal, side: str, component: str, window: Mapping[str, Any]) -> float | None:
    stored = window[f"{signal.name}_{extreme(signal, side)}"]
    if signal.component is not Component.JOINT or stored is None:
        return None if stored is None else float(stored)
    joint = joint_of(component)
    value = stored[joint - 1] if joint <= len(stored) else None
    return None if value is None else float(value)
