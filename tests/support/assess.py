"""Windows of a shard for tests of the assessor: readings by name, everything else chosen so as not to matter."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from schemas.layout import Layout
from schemas.robot_code import make_code
from schemas.signals import SIGNAL, SIGNAL_ORDER, STATISTICS, Component
from schemas.vitals import FINAL, VITALS_VERSION, Vitals, pack_statistics

LENGTH_US = 10_000_000
START_US = 1_760_000_000_000_000
NAN = float("nan")

Readings = Mapping[str, float | list[float]]


def robot(number: int, model: str = "MODEL1") -> str:
    """A code of our own making."""
    return make_code("ZZ", "TEST", model, str(number))


def start_of(window: int) -> int:
    """The start of the n-th window of a test."""
    return START_US + window * LENGTH_US


def layout_of(readings: Readings) -> Layout:
    """The layout that holds these readings."""
    joints = max((len(value) for value in readings.values() if isinstance(value, list)), default=0)
    return Layout(joints, tuple(sorted(readings, key=SIGNAL_ORDER.__getitem__)))


def window(robots: Mapping[str, Readings], number: int, kind: int = FINAL, **columns: Any) -> Vitals:
    """The n-th window of robots of one layout; every statistic of a slot is its one reading.

    `columns` gives a column of `WINDOW_COLUMNS` one value for all, `software` and `scenario` too. The frames reach
    the broker at the moment they are made.
    """
    layout = layout_of(next(iter(robots.values())))
    values = np.array([_row(layout, readings) for readings in robots.values()], np.float32)
    size, start_us = len(robots), start_of(number)
    last_us = start_us + LENGTH_US - 1_000_000
    given: dict[str, Any] = {
        "frames": 10, "first_seq": 0, "last_seq": 9, "boot_id": 1, "missing": 0, "last_time_us": last_us,
        "received_us": last_us, "fault_frames": 0, "backfill_frames": 0, "mode": 1, "runtime_s": -1,
        "energy_wh": -1, "cycles": -1, "software": "1.0", "scenario": "factory_line", **columns,
    }  # fmt: skip
    software, scenario = given.pop("software"), given.pop("scenario")
    small, smaller = ("frames", "missing", "fault_frames", "backfill_frames"), ("mode",)
    packed = {
        name: np.full(size, value, "<i2" if name in smaller else "<i4" if name in small else "<i8").tobytes()
        for name, value in given.items()
    }
    return Vitals(
        v=VITALS_VERSION, shard=0, layout=layout.text, kind=kind, start_us=start_us, length_us=LENGTH_US,
        robot_id="".join(robots).encode(), **packed, software=[software] * size, scenario=[scenario] * size,
        statistics=pack_statistics(layout, dict.fromkeys(STATISTICS, values)),
    )  # fmt: skip


def _row(layout: Layout, readings: Readings) -> list[float]:
    row: list[float] = []
    for name in layout.signals:
        reading = readings[name]
        if SIGNAL[name].component is Component.JOINT:
            assert isinstance(reading, list)
            row += reading
        else:
            assert isinstance(reading, float | int)
            row.append(reading)
    return row
