"""The latest value of every signal of a robot, and how old each is.

In: its newest frames and windows, newest first, as rows. Out: one `LatestReading` a slot. Pure. A signal that is
measured now and then (accuracy) is not in the newest frames, so the windows before them are looked through too.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec

from schemas.signals import SIGNALS, Component, Signal, Statistic


class LatestReading(msgspec.Struct, frozen=True):
    """`joint` counts from 1, 0 where the signal is not a joint's. `time` is the event time of the reading."""

    signal: str
    joint: int
    value: float
    unit: str
    time: datetime


def latest_readings(frames: list[dict[str, Any]], windows: list[dict[str, Any]]) -> list[LatestReading]:
    """In the order of the signal table; a slot that never had a value is left out."""
    found: list[LatestReading] = []
    for signal in SIGNALS:
        slots: dict[int, LatestReading] = {}
        for reading in _values(signal, frames, windows):
            slots.setdefault(reading.joint, reading)
        found += [slots[joint] for joint in sorted(slots)]
    return found


def _values(signal: Signal, frames: list[dict[str, Any]], windows: list[dict[str, Any]]) -> Iterator[LatestReading]:
    """Every value of a signal, newest first."""
    for frame in frames:
        yield from _present(signal, frame[signal.name], frame["time"])
    if Statistic.LAST in signal.statistics:
        for window in windows:
            yield from _present(signal, window[f"{signal.name}_last"], window["last_time"])


def _present(signal: Signal, stored: Any, time: datetime) -> Iterator[LatestReading]:
    if stored is None:
        return
    joints = signal.component is Component.JOINT
    for joint, value in enumerate(stored, 1) if joints else [(0, stored)]:
        if value is not None:
            yield LatestReading(signal.name, joint, value, signal.unit, time)
