"""Rows as they were frozen, as the shapes that evidence is drawn from. Pure.

In: rows of `incident_frame` and `vitals_hourly`, by column name. Out: a `Window` and a `Past`. Called by
`freeze.py`. An hour's highest is the highest magnitude that its statistics know: where a signal keeps no extremes
(torque), its windows' peaks are not comparable with it, and there is none.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from processors.incident.case import Channel, Float64, Past, Window
from schemas.signals import SIGNALS, Component, Signal, Statistic

Row = Any  # of asyncpg, or a dictionary
SHOWN: tuple[str, ...] = (
    "joint_position_rad", "joint_velocity_rad_s", "joint_torque_nm", "joint_current_a",
    "joint_tracking_error_rad", "joint_temperature_c", "joint_backlash_arcmin", "joint_vibration_mm_s",
    "joint_wear", "battery_voltage_v", "battery_current_a", "battery_temperature_c", "battery_cell_spread_mv",
    "battery_resistance_mohm", "battery_soc",
    "ambient_temperature_c", "clock_offset_ms", "clock_synchronised",
)  # fmt: skip
_SIGNALS = [signal for signal in SIGNALS if signal.name in SHOWN]
_EXTREMES = (Statistic.MAX, Statistic.MIN)
_LEVELS = (Statistic.RMS, Statistic.MEAN, Statistic.LAST)
FRAME_COLUMNS = ", ".join(["time", "seq", "boot_id", "mode", "software", "scenario", *SHOWN])
PAST_COLUMNS = ", ".join(
    ["start", "software", "scenario"]
    + [
        f"{signal.name}_{kept}"
        for signal in _SIGNALS
        for kept in signal.statistics
        if kept in (*_EXTREMES, *_LEVELS)
    ]
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def us_of(time: datetime) -> int:
    return (time - _EPOCH) // timedelta(microseconds=1)


def window_of(rows: Sequence[Row]) -> Window:
    readings: dict[Channel, Float64] = {}
    for signal in _SIGNALS:
        readings |= _channels(signal, [row[signal.name] for row in rows])
    return Window(
        time_us=np.array([us_of(row["time"]) for row in rows], np.int64),
        seq=np.array([row["seq"] for row in rows], np.int64),
        boot_id=np.array([row["boot_id"] for row in rows], np.int64),
        mode=np.array([row["mode"] for row in rows], np.int64),
        readings=readings,
    )


def past_of(rows: Sequence[Row]) -> Past:
    highest: dict[Channel, Float64] = {}
    level: dict[Channel, Float64] = {}
    for signal in _SIGNALS:
        for kept in _EXTREMES:
            if kept in signal.statistics:
                for channel, values in _channels(signal, _column(rows, signal, kept)).items():
                    highest[channel] = np.fmax(highest.get(channel, np.abs(values)), np.abs(values))
        chosen = next((kept for kept in _LEVELS if kept in signal.statistics), None)
        if chosen is not None:
            level |= _channels(signal, _column(rows, signal, chosen))
    return Past(
        hour_us=np.array([us_of(row["start"]) for row in rows], np.int64),
        software=[row["software"] for row in rows],
        work=[row["scenario"] for row in rows],
        highest=highest,
        level=level,
    )


def _column(rows: Sequence[Row], signal: Signal, kept: Statistic) -> list[Any]:
    return [row[f"{signal.name}_{kept}"] for row in rows]


def _channels(signal: Signal, column: Sequence[Any]) -> dict[Channel, Float64]:
    """Of a joint's signal one a joint; a signal of which nothing is known has none."""
    if signal.component is not Component.JOINT:
        values = np.array([np.nan if value is None else value for value in column], np.float64)
        return {(signal.component.value, signal.name): values} if np.isfinite(values).any() else {}
    joints = max((len(values) for values in column if values is not None), default=0)
    matrix = np.full((len(column), joints), np.nan)
    for at, values in enumerate(column):
        for joint, value in enumerate(values or ()):
            if value is not None:
                matrix[at, joint] = value
    known = np.isfinite(matrix).any(axis=0)
    return {(f"joint/{joint + 1}", signal.name): matrix[:, joint] for joint in np.nonzero(known)[0].tolist()}
