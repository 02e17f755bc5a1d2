"""A robot was silent, and its counters went on: it ran unlogged.

In: a `Life`. Out: findings. Called by `judge.py`.

Silence alone is no finding: robots are switched off and shipped. Late data fills a gap whenever it comes, so a gap
is looked at only after a grace time; what is filled later closes the finding by itself.
"""

import numpy as np

from processors.audit.counters import Break, explaining, runtime
from processors.audit.found import Confidence, Evidence, Finding, Rule
from processors.audit.life import SUPPORT, Life, vouched_for
from schemas.columns import ABSENT, Int64
from schemas.hours import DAY_US

TRIED_S = 6 * 3600
"""Ours: packed and unpacked, a robot is tried out so long, and an hour is lost now and then."""
SILENT_US = TRIED_S * 1_000_000
"""In a shorter silence it cannot have run for longer."""
HOUR_S = 3600
SPOOLED_DAYS = 7
"""Ours: so long a robot may take to send what it has kept."""


def find(life: Life) -> list[Finding]:
    """One a gap."""
    times_us, counts_s = runtime(life)
    gap = np.diff(times_us) > SILENT_US
    passed_s = np.diff(times_us) / 1e6
    gained = np.diff(counts_s)
    # What outruns the clock is another finding.
    ran = gap & (gained > TRIED_S) & (gained <= passed_s)
    found = [_finding(life, times_us, counts_s, int(at)) for at in np.nonzero(ran)[0]]
    return [one for one in found if one is not None]


def _finding(life: Life, times_us: Int64, counts_s: Int64, at: int) -> Finding | None:
    first_us, last_us = int(times_us[at]), int(times_us[at + 1])
    one = Break(first_us, last_us, int(counts_s[at]), int(counts_s[at + 1]), (at + 1, len(times_us) - at - 1))
    ran_h, silent_h = (one.after_s - one.before_s) / 3600, (last_us - first_us) / 3.6e9
    if life.now_us - last_us < SPOOLED_DAYS * DAY_US or explaining(life.history, one) or _is_told(life, one):
        return None
    against = [Evidence("a lost connection looks the same, where what the robot kept was lost too")]
    if astray := _astray(life, one):
        text = f"the clock was wrong in {astray} hours about then: others may have gone astray"
        against.append(Evidence(text, values={"hours": astray}))
    supported = _supported(times_us, counts_s, at) and not astray
    return Finding(
        robot_id=life.robot_id,
        rule=Rule.UNLOGGED,
        component="robot",
        first_us=first_us,
        last_us=last_us,
        confidence=Confidence.ESTABLISHED if supported else Confidence.SUSPECTED,
        text=f"It ran {ran_h:.0f} h in {silent_h / 24:.1f} days of which there is no telemetry.",
        evidence_for=(
            Evidence(
                "the runtime counter went on while nothing was received",
                at_us=last_us,
                values={"before_s": one.before_s, "after_s": one.after_s, "silent_h": round(silent_h, 1)},
            ),
        ),
        evidence_against=tuple(against),
    )


def _astray(life: Life, one: Break) -> int:
    """How many hours belong into it by one sign and not by another: their clock was wrong, and they may have taken
    the places of others."""
    hours = life.hours
    in_time = (hours.last_us > one.before_us) & (hours.last_us < one.after_us)
    received = (hours.received_us > one.before_us) & (hours.received_us < one.after_us)
    counted = (hours.runtime_s > one.before_s) & (hours.runtime_s < one.after_s)
    astray = (in_time & ~counted) | (received & ~in_time) | (counted & ~in_time)
    has = ~vouched_for(hours) & (hours.runtime_s != ABSENT)
    back = np.diff(hours.runtime_s[in_time & has]) < 0
    return int((astray & has).sum() + back.sum())


def _is_told(life: Life, one: Break) -> bool:
    """Whether hours that nobody vouches for account for it: they came late, or by a clock that was wrong."""
    hours = life.hours
    in_time = (hours.last_us > one.before_us) & (hours.last_us < one.after_us)
    received = (hours.received_us > one.before_us) & (hours.received_us < one.after_us)
    tells = (in_time | received) & (hours.runtime_s != ABSENT)
    times_us = np.where(in_time, hours.last_us, hours.received_us)[tells]
    order = np.argsort(times_us, kind="stable")
    ends_us = np.concatenate([[one.before_us], times_us[order], [one.after_us]])
    counts = np.concatenate([[one.before_s], hours.runtime_s[tells][order], [one.after_s]])
    silent = np.diff(ends_us) > SILENT_US
    ran_s = np.diff(counts)[silent] - HOUR_S  # after each silence it says what it ran in its first hour too
    return int(np.maximum(ran_s, 0).sum()) <= TRIED_S


def _supported(times_us: Int64, counts_s: Int64, at: int) -> bool:
    """Whether SUPPORT hours on either side agree with each other."""
    before, after = counts_s[max(at - SUPPORT + 1, 0) : at + 1], counts_s[at + 1 : at + 1 + SUPPORT]
    enough = len(before) == SUPPORT and len(after) == SUPPORT
    return bool(enough and (np.diff(before) >= 0).all() and (np.diff(after) >= 0).all() and before[-1] < after[0])
