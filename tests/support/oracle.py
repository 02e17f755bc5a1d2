"""What vitals should be, computed from the rows of `frame` by plain Python: no code of the product's windows."""

import math
import struct
from collections import defaultdict
from typing import Any

import asyncpg

from schemas.signals import SIGNALS, Component

WINDOW_US = 10_000_000


async def differences(connection: asyncpg.Connection, limit: int = 10) -> list[str]:
    """Where `vitals` is not what the rows of `frame` say; the first `limit` of them."""
    frames = [dict(row) for row in await connection.fetch("SELECT * FROM frame ORDER BY robot_id, time, seq")]
    expected = _windows(frames)
    found = {
        (row["robot_id"], _us(row["start"])): dict(row) for row in await connection.fetch("SELECT * FROM vitals")
    }
    wrong = [f"missing {key}" for key in expected.keys() - found.keys()]
    wrong += [f"extra {key}" for key in found.keys() - expected.keys()]
    for key in expected.keys() & found.keys():
        wrong += [
            f"{key} {name}: {found[key][name]} instead of {value}"
            for name, value in expected[key].items()
            if not _same(found[key][name], value)
        ]
        if len(wrong) > limit:
            break
    return sorted(wrong)[:limit]


def _us(time: Any) -> int:
    return round(time.timestamp() * 1_000_000)


def _windows(frames: list[dict[str, Any]]) -> dict[tuple[str, int], dict[str, Any]]:
    grouped: dict[tuple[str, int], list[dict[str, Any]]] = defaultdict(list)
    for frame in frames:
        grouped[frame["robot_id"], _us(frame["time"]) // WINDOW_US * WINDOW_US].append(frame)
    return {key: _window(rows) for key, rows in grouped.items()}


def _window(rows: list[dict[str, Any]]) -> dict[str, Any]:
    last = rows[-1]
    sequences = defaultdict(set)
    for row in rows:
        sequences[row["boot_id"]].add(row["seq"])
    window = {
        "frames": len(rows),
        "missing": sum(max(seen) - min(seen) + 1 - len(seen) for seen in sequences.values()),
        "last_time": last["time"],
        "fault_frames": sum(row["mode"] == 3 for row in rows),
        "backfill_frames": sum(row["backfill"] for row in rows),
        "mode": last["mode"],
    }
    for signal in SIGNALS:
        for statistic in signal.statistics:
            column = [row[signal.name] for row in rows]
            if signal.component is Component.JOINT:
                joints = max((len(values) for values in column if values is not None), default=0)
                values = [
                    _of([v[j] for v in column if v is not None and j < len(v)], statistic) for j in range(joints)
                ]
                window[f"{signal.name}_{statistic}"] = values or None
            else:
                window[f"{signal.name}_{statistic}"] = _of(column, statistic)
    return window


def _of(values: list[float | None], statistic: str) -> float | None:
    present = [value for value in values if value is not None]
    if not present:
        return None
    reduced = {
        "last": lambda: present[-1],
        "min": lambda: min(present),
        "max": lambda: max(present),
        "mean": lambda: math.fsum(present) / len(present),
        "rms": lambda: math.sqrt(math.fsum(v * v for v in present) / len(present)),
    }[statistic]()
    return float(struct.unpack("<f", struct.pack("<f", reduced))[0])


def _same(found: Any, expected: Any) -> bool:
    """Equal, but for the last place of a float32, which the order of a sum may change."""
    if isinstance(expected, list):
        return found is not None and len(found) == len(expected) and all(map(_same, found, expected))
    if isinstance(expected, float) and isinstance(found, float):
        return math.isclose(found, expected, rel_tol=2.4e-7, abs_tol=1e-30)
    return bool(found == expected)
