"""Link: frames that get lost on the way, and a sender that starts again and again. Findings about the data.

In: the shard's state and windows; when an epoch is over, its counts. Out: the state, and reports by position.
Called by `processors/epochs.py`. A frame is missing when its sequence number lies between others of its boot; one
that came too late for its window counts too, since nobody saw it in time.
"""

import numpy as np
from numpy.typing import NDArray

from processors.findings import GAP, RESTART, Finding, Level, Report
from processors.shard import NEVER, Shard, with_rows
from processors.shard_window import ShardWindow
from schemas.columns import Int64
from schemas.signals import Component

RULES = (GAP, RESTART)

# Ours. A lossy radio drops one frame in a hundred; at one in twenty statistics of windows begin to lie. It is over
# below one in a hundred.
LOST_SHARE, KEPT_SHARE = 0.05, 0.01
# A robot that is switched off and on, or updated, boots once or twice in ten minutes.
BOOTS = 3


def step(shard: Shard, rows: Int64, window: ShardWindow, begins: NDArray[np.bool_]) -> Shard:
    """Count in a window of the robots at `rows`, from zero where an epoch begins with it."""
    boot, known = window.columns["boot_id"], shard.boot_id[rows]
    booted = (boot != known) & (known != NEVER)
    counted = {
        "arrived": window.columns["frames"],
        "missed": window.columns["missing"],
        "boots": booted,
    }
    sums = {name: np.where(begins, 0, getattr(shard, name)[rows]) + more for name, more in counted.items()}
    return with_rows(shard, rows, boot_id=boot, **sums)


def judge(shard: Shard, rows: Int64, start_us: int, end_us: int) -> tuple[Shard, dict[int, Report]]:
    """The epoch of the robots at `rows` is over. Reports by position: what holds, or has ended."""
    missed, arrived = shard.missed[rows], shard.arrived[rows]
    share = missed / np.maximum(missed + arrived, 1)
    before = {GAP: shard.lossy_us[rows], RESTART: shard.restarting_us[rows]}
    held = {
        GAP: share >= np.where(before[GAP] != NEVER, KEPT_SHARE, LOST_SHARE),
        RESTART: shard.boots[rows] >= BOOTS,
    }
    since = {r: np.where(held[r], np.where(before[r] == NEVER, start_us, before[r]), NEVER) for r in RULES}
    shard = with_rows(shard, rows, lossy_us=since[GAP], restarting_us=since[RESTART])
    value = {GAP: share, RESTART: shard.boots[rows]}
    concerned = np.nonzero(np.logical_or.reduce([of[r] != NEVER for of in (before, since) for r in RULES]))[0]
    reports = {}
    for at in concerned.tolist():
        findings = [
            _finding(r, float(value[r][at]), int(since[r][at]), end_us, end_us - start_us)
            for r in RULES
            if held[r][at]
        ]
        reports[at] = Report(rules=RULES, until_us=end_us, findings=findings)
    return shard, reports


def _finding(rule: str, value: float, since_us: int, end_us: int, length_us: int) -> Finding:
    return Finding(
        rule=rule,
        component=Component.ROBOT.value,
        signal="",
        side="",
        level=Level.WARN,
        value=round(value, 3),
        limit=LOST_SHARE if rule == GAP else float(BOOTS),
        first_us=since_us,
        last_us=end_us,
        windows=(end_us - since_us) // length_us,
    )
