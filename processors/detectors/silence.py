"""Silence: a robot from which the broker has had nothing for a while is UNKNOWN; never healthy, never resolved.

In: the shard's state, and a pulse (all frames up to its wall-clock time have been read) or frames that came. Out:
the state with who is silent, and reports. Called by `processors/assessor.py`. Silence is measured by the broker's
time stamps, so that neither a robot's clock nor a replay of old data counts as silence. Nor does the time in which
nobody listened: after a gap between pulses the patience begins anew.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from processors.findings import EVERYTHING, SILENCE, Finding, Level, Report
from processors.shard import NEVER, Shard
from schemas.columns import Int64
from schemas.signals import Component

RULES = (SILENCE,)

# Pulses come every few seconds; with a longer gap the pipeline or the broker was away.
GAP_US = 20_000_000


def patience_us(shard: Shard, silence_us: int) -> int:
    """How long a robot may say nothing as of a pulse: the setting, and the window that may still be open."""
    return silence_us + shard.length_us


def due_us(shard: Shard, silence_us: int, listening_since_us: int) -> int | None:
    """The time from which somebody of the shard may be silent; None when nobody can become silent.

    Nobody listened before `listening_since_us`: what came in between may still lie in open windows.
    """
    talking = shard.received_us[~shard.silent & (shard.received_us != NEVER)]
    if not len(talking):
        return None
    return max(int(talking.min()), listening_since_us) + patience_us(shard, silence_us)


def step(shard: Shard, now_us: int, silence_us: int) -> tuple[Shard, dict[int, Report]]:
    """Who has become silent as of `now_us`; reports by row."""
    oldest_us = now_us - patience_us(shard, silence_us)
    falls_silent = ~shard.silent & (shard.received_us != NEVER) & (shard.received_us < oldest_us)
    reports = {
        int(row): _report(Level.ALARM, int(shard.received_us[row]), now_us) for row in np.nonzero(falls_silent)[0]
    }
    return (replace(shard, silent=shard.silent | falls_silent) if reports else shard), reports


def heard(shard: Shard, rows: Int64, time_us: Int64, received_us: Int64) -> tuple[Shard, dict[int, Report]]:
    """Frames came from the robots at `rows`: when, and whose silence is over. Reports by position in `rows`."""
    newer = received_us > shard.received_us[rows]
    if not newer.any() and not (time_us > shard.last_time_us[rows]).any():
        return shard, {}
    over: NDArray[np.bool_] = shard.silent[rows] & newer
    reports = {
        int(at): _report(Level.OK, int(shard.received_us[rows[at]]), int(received_us[at]))
        for at in np.nonzero(over)[0]
    }
    seen, received, silent = shard.last_time_us.copy(), shard.received_us.copy(), shard.silent
    np.maximum.at(seen, rows, time_us)
    np.maximum.at(received, rows, received_us)
    if reports:
        silent = silent.copy()
        silent[rows[over]] = False
    return replace(shard, last_time_us=seen, received_us=received, silent=silent), reports


def _report(level: Level, last_heard_us: int, at_us: int) -> Report:
    finding = Finding(
        rule=SILENCE,
        component=Component.ROBOT.value,
        signal="",
        side="",
        level=level,
        value=None,
        limit=None,
        first_us=last_heard_us,
        last_us=at_us,
        windows=0,
    )
    return Report(rules=RULES, until_us=EVERYTHING, findings=[finding])
