"""Clock: a robot whose frames carry times ahead of the broker's. A finding about the data, not the machine.

In: the shard's state, and late marks with the reason `clock_ahead`, or windows of frames with a good clock. Out:
the state, and reports. Called by `processors/assessor.py`. Times are the broker's: the robot's own are what is in
doubt.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from processors.findings import CLOCK, EVERYTHING, Finding, Level, Report
from processors.shard import Shard
from schemas.columns import Int64
from schemas.signals import Component

RULES = (CLOCK,)

# Ours: over after this many windows of frames that came later than the last bad one.
GOOD_WINDOWS = 2


def mark(shard: Shard, rows: Int64, received_us: Int64) -> tuple[Shard, dict[int, Report]]:
    """Frames with a clock ahead came from the robots at `rows`. Repeats change nothing. Reports by row."""
    clock_us, clock_bad = shard.clock_us.copy(), shard.clock_bad.copy()
    reports: dict[int, Report] = {}
    for row, at_us in zip(rows.tolist(), received_us.tolist(), strict=True):
        if at_us <= clock_us[row]:
            continue
        if not clock_bad[row]:
            reports[row] = _report(Level.ALARM, at_us, at_us)
        clock_us[row], clock_bad[row] = at_us, GOOD_WINDOWS
    return replace(shard, clock_us=clock_us, clock_bad=clock_bad), reports


def step(shard: Shard, rows: Int64, received_us: Int64) -> tuple[Shard, dict[int, Report]]:
    """Windows of the robots at `rows`, whose last frames came at `received_us`. Reports by position in `rows`."""
    bad = shard.clock_bad[rows]
    counts: NDArray[np.bool_] = (bad > 0) & (received_us > shard.clock_us[rows])
    if not counts.any():
        return shard, {}
    clock_bad = shard.clock_bad.copy()
    clock_bad[rows] = bad - counts
    over = counts & (bad == 1)
    reports = {
        int(at): _report(Level.OK, int(shard.clock_us[rows[at]]), int(received_us[at]))
        for at in np.nonzero(over)[0]
    }
    return replace(shard, clock_bad=clock_bad), reports


def _report(level: Level, first_us: int, last_us: int) -> Report:
    finding = Finding(
        rule=CLOCK,
        component=Component.ROBOT.value,
        signal="clock",
        side="",
        level=level,
        value=None,
        limit=None,
        first_us=first_us,
        last_us=last_us,
        windows=0,
    )
    return Report(rules=RULES, until_us=EVERYTHING, findings=[finding])
