"""Windows with random statistics, and their hours as somebody computes them who knows nothing of arrays."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from processors.hourly import HOUR_US
from schemas.layout import Layout, parse_layout
from schemas.signals import MODES, SIGNALS, STATISTICS, Component, Statistic
from schemas.vitals import FINAL, WINDOW_COLUMNS, Vitals, pack_statistics

START_US = 1_760_000_400_000_000 // HOUR_US * HOUR_US
MINUTE_US = 60_000_000
LAYOUT = parse_layout(
    "3:joint_current_a,joint_temperature_c,joint_tracking_error_rad,battery_soc,battery_voltage_v,tool_current_a"
)


def window(codes: Sequence[str], start_us: int, seed: int, layout: Layout = LAYOUT, kind: int = FINAL) -> Vitals:
    """A window of a minute; a tenth of its values is missing."""
    draw, count = np.random.default_rng(seed), len(codes)
    columns = {name: np.zeros(count, dtype) for name, dtype in WINDOW_COLUMNS.items()}
    columns["robot_id"][:] = [code.encode() for code in codes]
    columns["frames"][:] = draw.integers(1, 60, count)
    columns["boot_id"][:] = draw.integers(1, 3, count)
    columns["mode"][:] = draw.integers(0, len(MODES), count)
    for name in ("missing", "fault_frames", "backfill_frames", "runtime_s", "energy_wh"):
        columns[name][:] = draw.integers(0, 9, count)
    columns["cycles"][:] = -1
    for name in ("last_time_us", "received_us"):
        columns[name][:] = start_us + draw.integers(0, MINUTE_US, count)
    statistics = {statistic: _values(draw, count, layout) for statistic in STATISTICS}
    texts = [f"{seed % 3}.0" for _ in codes]
    return Vitals(
        v=1, shard=0, layout=layout.text, kind=kind, start_us=start_us, length_us=MINUTE_US,
        **{name: column.tobytes() for name, column in columns.items()}, software=texts, scenario=texts,
        statistics=pack_statistics(layout, statistics),
    )  # fmt: skip


def _values(draw: np.random.Generator, count: int, layout: Layout) -> Any:
    values = draw.uniform(0.1, 5, (count, len(layout.slots))).astype(np.float32)
    values[draw.random(values.shape) < 0.1] = np.nan
    return values


def hours_of(rows: Iterable[Any]) -> dict[tuple[str, int], dict[str, Any]]:
    """Rows of `vitals` by column name, to hours by robot and hour in µs."""
    grouped: dict[tuple[str, int], list[Any]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row["start"]):
        hour_us = round(row["start"].timestamp() * 1e6) // HOUR_US * HOUR_US
        grouped[row["robot_id"], hour_us].append(row)
    return {key: _hour(windows) for key, windows in grouped.items()}


def _hour(windows: list[Any]) -> dict[str, Any]:
    last = windows[-1]
    hour: dict[str, Any] = {
        name: last[name] for name in ("mode", "runtime_s", "cycles", "software", "last_time", "received")
    }
    hour |= {name: sum(w[name] for w in windows) for name in ("frames", "missing", "fault_frames")}
    hour |= {"windows": len(windows), "boots": len({w["boot_id"] for w in windows})}
    for signal in SIGNALS:
        for kept in signal.statistics:
            name = f"{signal.name}_{kept}"
            if signal.component is Component.JOINT:
                size = max(len(w[name] or ()) for w in windows)
                slots = [_slot([_at(w[name], slot) for w in windows], windows, kept) for slot in range(size)]
                hour[name] = slots or None
            else:
                hour[name] = _slot([w[name] for w in windows], windows, kept)
    return hour


def _at(values: Sequence[float | None] | None, slot: int) -> float | None:
    return None if values is None or slot >= len(values) else values[slot]


def _slot(values: list[float | None], windows: list[Any], kept: Statistic) -> float | None:
    there = [(value, w["frames"]) for value, w in zip(values, windows, strict=True) if value is not None]
    if not there:
        return None
    weight = sum(frames for _, frames in there)
    match kept:
        case Statistic.LAST:
            return there[-1][0]
        case Statistic.MIN:
            return min(value for value, _ in there)
        case Statistic.MAX:
            return max(value for value, _ in there)
        case Statistic.MEAN:
            return sum(value * frames for value, frames in there) / weight
        case Statistic.RMS:
            return math.sqrt(sum(value**2 * frames for value, frames in there) / weight)


def assert_same(found: dict[str, Any], expected: dict[str, Any]) -> None:
    """To single precision."""
    for name, value in expected.items():
        ours = found[name]
        if isinstance(value, list):
            assert ours is not None, name
            assert len(ours) == len(value), name
            assert all(_close(one, other) for one, other in zip(ours, value, strict=True)), name
        elif isinstance(value, float):
            assert _close(ours, value), name
        else:
            assert ours == value, name


def _close(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=1e-6)
