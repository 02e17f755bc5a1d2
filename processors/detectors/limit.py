"""Limits: a value beyond its warn or alarm threshold, with hysteresis and delays; and a robot's own fault mode.

In: the shard's state, a window and the limits. Out: the state with new phases, and for each robot whose levels
changed (or that is due) all of its conditions. Called by `processors/assessor.py`.

Each column has three thresholds: near (as far before warn as alarm is beyond it: what divides zone A from B),
warn and alarm. Judged is the window's extreme (`shard_window`). Delays are ours, in windows: an alarm begins with
the first window beyond it, a warning with the second in a row; either ends with the second in a row that lies
inside by the deadband. What is absent neither begins nor ends anything.

The phase of a threshold is one small number: 0 and up, that many windows in a row beyond a threshold that is not
active yet; -1 and down, active, with that many (less one) windows in a row inside; UNSEEN, no value yet.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from processors.detectors.arrays import exact
from processors.findings import LIMIT, MODE, Finding, Level, Report
from processors.shard import MODE_COLUMN, UNSEEN, Column, Shard, with_rows
from processors.shard_window import ShardWindow, models_of, values_of
from schemas.columns import Float32, Int64
from schemas.limits import Limits
from schemas.signals import SIGNAL

NEAR, WARN, ALARM = 0, 1, 2
ON_AFTER = np.array([[1], [2], [1]], np.int8)
OFF_AFTER = 2

RULES = (LIMIT, MODE)


def step(
    shard: Shard, rows: Int64, window: ShardWindow, limits: Limits, due: NDArray[np.bool_]
) -> tuple[Shard, dict[int, Report]]:
    """Judge a window whose robots are at `rows`. Reports are by position in the window.

    Reported are the robots with a level that changed, and those that are `due`.
    """
    values = values_of(window, shard.columns)
    start, inside, sign = _thresholds_of(window, shard.columns, limits)
    before = shard.phase[rows]
    after, shows = _advance(before, (values * sign)[:, None, :], start, inside)
    level_before, level = levels(before), levels(after)
    seen_before = shard.seen[rows]
    seen = np.where(shows | (level > 0), seen_before + shows, 0)
    reported = (level != level_before).any(axis=1) | due
    thresholds = np.broadcast_to(sign * start, (len(values), *start.shape[1:]))
    judged = _Judged(values, thresholds, level_before, level, np.maximum(seen, seen_before))
    reports = {int(at): _report(shard, window, int(at), int(rows[at]), judged) for at in np.nonzero(reported)[0]}
    return with_rows(shard, rows, phase=after, seen=seen), reports


def levels(phase: NDArray[np.int8]) -> NDArray[np.int8]:
    """The level of each column from the phases (robots × thresholds × columns)."""
    active = phase < 0
    return np.where(active[:, ALARM], np.int8(Level.ALARM), active[:, WARN].astype(np.int8))


def zones(phase: NDArray[np.int8], columns: tuple[Column, ...]) -> NDArray[np.int8]:
    """Robots × columns: 1 to 4 for the zones A to D, 0 where no value met a limit."""
    active = phase < 0
    zone = np.where(active[:, ALARM], 4, np.where(active[:, WARN], 3, np.where(active[:, NEAR], 2, 1)))
    zone[phase[:, ALARM] == UNSEEN] = 0
    if MODE_COLUMN in columns:
        zone[:, columns.index(MODE_COLUMN)] = 0
    return zone.astype(np.int8)


def _advance(
    phase: NDArray[np.int8], value: Float32, start: Float32, inside: Float32
) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
    """The phases after one more value, and where it lies beyond warn or alarm. A side below counts mirrored."""
    beyond = value >= start
    idle = np.where(phase == UNSEEN, 0, phase)
    growing = np.where(beyond, idle + 1, 0)
    growing = np.where(growing >= ON_AFTER, -1, growing)
    fading = np.where(value < inside, idle - 1, -1)
    fading = np.where(fading <= -1 - OFF_AFTER, 0, fading)
    moved = np.where(idle < 0, fading, growing)
    limited = ~np.isnan(start[:, ALARM : ALARM + 1])
    after = np.where(np.isnan(value), phase, moved)
    return np.where(limited, after, UNSEEN).astype(np.int8), beyond[:, WARN] | beyond[:, ALARM]


def _thresholds_of(
    window: ShardWindow, columns: tuple[Column, ...], limits: Limits
) -> tuple[Float32, Float32, Float32]:
    """Mirrored thresholds and where inside begins (robots or 1 × 3 × columns), and the columns' signs."""
    models, which = models_of(window.robots)
    start, inside, sign = _thresholds(tuple(limits.known_model(model) for model in models), columns, limits)
    if len({limits.known_model(model) for model in models}) == 1:
        return start[:1], inside[:1], sign
    return start[which], inside[which], sign


@lru_cache(maxsize=1024)
def _thresholds(
    models: tuple[str, ...], columns: tuple[Column, ...], limits: Limits
) -> tuple[Float32, Float32, Float32]:
    sign = np.array([-1 if column.side == "below" else 1 for column in columns], np.float32)
    rows = np.array([[_threshold(limits, model, column) for column in columns] for model in models], np.float32)
    warn, alarm, deadband = rows[..., 0] * sign, rows[..., 1] * sign, rows[..., 2]
    start = np.stack([warn - (alarm - warn), warn, alarm], axis=1)
    return start, start - deadband[:, None], sign


def _threshold(limits: Limits, model: str, column: Column) -> tuple[float, float, float]:
    """Warn, alarm and deadband of a column; NaN where it has none."""
    if column == MODE_COLUMN:
        return np.nan, 0.5, 0.0
    limit = limits.limit(model, column.signal, column.side) if column.signal in SIGNAL else None
    return (limit.warn, limit.alarm, limit.deadband) if limit else (np.nan, np.nan, np.nan)


@dataclass(frozen=True, slots=True)
class _Judged:
    """What a window's reports are made from, robots × columns; thresholds (× 3) as people write them."""

    values: Float32
    thresholds: Float32
    before: NDArray[np.int8]
    level: NDArray[np.int8]
    seen: NDArray[np.int32]


def _report(shard: Shard, window: ShardWindow, at: int, row: int, judged: _Judged) -> Report:
    """All conditions of one robot, and those that ended with this window."""
    findings = []
    for k in np.nonzero(judged.level[at] | judged.before[at])[0]:
        column, level, seen = shard.columns[k], Level(judged.level[at, k]), int(judged.seen[at, k])
        mode = column == MODE_COLUMN
        threshold = judged.thresholds[at, level or judged.before[at, k], k]
        findings.append(
            Finding(
                rule=MODE if mode else LIMIT,
                component=column.component,
                signal=column.signal,
                side=column.side,
                level=level,
                value=None if mode else exact(judged.values[at, k]),
                limit=None if mode else exact(threshold),
                # With a delay of two windows the first sign was in the robot's window before.
                first_us=window.start_us if seen < 2 else int(shard.window_us[row]),
                last_us=int(window.columns["last_time_us"][at]),
                windows=seen,
            )
        )
    return Report(rules=RULES, until_us=window.end_us, findings=findings)
