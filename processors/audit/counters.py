"""A cumulative counter falls, or runs faster than time: runtime rollback and impossible runtime.

In: a `Life`. Out: findings. Called by `judge.py`; `clones.py` reads the breaks too.

A counter's vouched hours, in order of event time, fall into stretches in which it never falls and never outruns the
clock. A stretch of fewer than SUPPORT hours is a bad reading and is left out. Where two stretches meet, the counter
was set: back is a rollback, ahead is impossible. An entry (`counter_changed`) that says so, with the same figures,
explains it.
"""

from typing import NamedTuple

import numpy as np

from processors.audit.found import Confidence, Evidence, Finding, Rule
from processors.audit.life import ENTRY_DAYS, SUPPORT, Bools, Life, entries_near, near, vouched_for
from schemas.columns import ABSENT, Int64
from schemas.history import History, Stated
from schemas.hours import DAY_US
from schemas.logbook import CounterChanged, PartInstalled

FORGOTTEN_S = 2 * 3600
"""Ours: so much of its runtime a controller may lose with its power, for it was not saved yet."""
UNSAVED_S = 12 * 3600
"""Ours: a counter that fell by less is suspected at most: some controllers save theirs so seldom."""
OUTRUN_S = 3600
"""Ours: so far ahead a counter may be, for hours are counted where they end and clocks differ."""
WRITTEN_S, WRITTEN_SHARE = 48 * 3600, 0.05
"""Ours: how far a figure in an entry may be from telemetry's."""
MISREAD_HOURS = 48
"""Ours: so long a counter may be misread, if it goes on afterwards as if it had not been."""
NAMES = ("runtime_s", "runtime")


class Break(NamedTuple):
    """A counter was `before_s` at `before_us`, and `after_s` at `after_us`. `hours`: of support on either side."""

    before_us: int
    after_us: int
    before_s: int
    after_s: int
    hours: tuple[int, int]


def runtime(life: Life) -> tuple[Int64, Int64]:
    """Times and runtimes of the vouched hours that have one."""
    hours = life.vouched
    has = hours.runtime_s != ABSENT
    return hours.last_us[has], hours.runtime_s[has]


def is_break(times_us: Int64, counts_s: Int64) -> Bools:
    """Between which neighbours it fell, or outran the clock: one less than there are hours."""
    gained, passed_s = np.diff(counts_s), np.diff(times_us) / 1e6
    return np.asarray((gained < -FORGOTTEN_S) | (gained > passed_s + OUTRUN_S))


def breaks(times_us: Int64, counts_s: Int64) -> list[Break]:
    """Where long stretches meet."""
    keep = is_good(times_us, counts_s)
    times_us, counts_s = times_us[keep], counts_s[keep]
    ends = np.nonzero(is_break(times_us, counts_s))[0] + 1
    lengths = np.diff(np.concatenate([[0], ends, [len(times_us)]])).tolist()
    return [
        Break(
            int(times_us[end - 1]), int(times_us[end]), int(counts_s[end - 1]), int(counts_s[end]),
            (lengths[place], lengths[place + 1]),
        )
        for place, end in enumerate(ends.tolist())
        if min(lengths[place], lengths[place + 1]) >= SUPPORT
    ]  # fmt: skip


def is_good(times_us: Int64, counts_s: Int64) -> Bools:
    """Which hours are no bad readings: those of short stretches, and of those that the counter goes on after."""
    good = np.ones(len(times_us), bool)
    while True:
        at = np.nonzero(good)[0]
        times, counts = times_us[at], counts_s[at]
        begins = np.concatenate([[0], np.nonzero(is_break(times, counts))[0] + 1])
        lengths = np.diff(np.append(begins, len(at)))
        if len(begins) < 2:
            return good
        lasts = begins + lengths - 1
        returns = np.zeros(len(begins), bool)
        if len(begins) > 2:
            gained, passed_s = (
                counts[begins[2:]] - counts[lasts[:-2]],
                (times[begins[2:]] - times[lasts[:-2]]) / 1e6,
            )
            goes_on = (gained >= 0) & (gained <= passed_s + OUTRUN_S)
            returns[1:-1] = goes_on & (lengths[1:-1] <= MISREAD_HOURS)
        bad = returns if returns.any() else lengths < SUPPORT
        if not bad.any():
            return good
        # The shortest first: next to it another may only look short.
        worst = np.nonzero(bad & (lengths == lengths[bad].min()))[0]
        for place in worst.tolist():
            good[at[begins[place] : lasts[place] + 1]] = False


def find(life: Life) -> list[Finding]:
    """Rollbacks and impossible jumps, then what outran the clock little by little."""
    times_us, counts_s = runtime(life)
    found = [_finding(life, one) for one in breaks(times_us, counts_s)]
    good = is_good(times_us, counts_s)
    return [one for one in [*found, _outran(life, times_us[good], counts_s[good])] if one is not None]


def explaining(history: History, one: Break) -> list[Stated[CounterChanged]]:
    """Entries that say that the counter was set about then."""
    return [
        stated
        for stated in history.of(CounterChanged)
        if stated.what.counter in NAMES and near(stated.happened_us, one.before_us, one.after_us)
    ]


def agrees(what: CounterChanged, one: Break) -> bool:
    """Whether its figures are telemetry's."""
    passed_s = (one.after_us - one.before_us) / 1e6 + ENTRY_DAYS * DAY_US / 1e6
    after_fits = -_slack(one.after_s) <= one.after_s - what.after <= passed_s + _slack(one.after_s)
    return after_fits and (what.before is None or abs(what.before - one.before_s) <= _slack(one.before_s))


def _slack(seconds: int) -> float:
    return max(WRITTEN_S, WRITTEN_SHARE * seconds)


def _finding(life: Life, one: Break) -> Finding | None:
    said = explaining(life.history, one)
    if any(agrees(stated.what, one) for stated in said):
        return None
    swapped = [
        stated.number
        for stated in life.history.of(PartInstalled)
        if stated.what.component == "controller" and near(stated.happened_us, one.before_us, one.after_us)
    ]
    fell = one.after_s < one.before_s
    astray = 0 if fell else _astray(life, one)
    small = 0 < one.before_s - one.after_s < UNSAVED_S
    sure = not (said or swapped or astray or small) and life.grace_over(one.after_us)
    return Finding(
        robot_id=life.robot_id,
        rule=Rule.ROLLBACK if fell else Rule.IMPOSSIBLE,
        component="robot",
        first_us=one.before_us,
        last_us=one.after_us,
        confidence=Confidence.ESTABLISHED if sure else Confidence.SUSPECTED,
        text=_text(one, fell),
        evidence_for=(_measured(one), *_read_off(life.history, one)),
        evidence_against=(*_against(life, one, said, swapped), *_clock(astray), *_unsaved(small)),
    )


def _text(one: Break, fell: bool) -> str:
    before_h, after_h = one.before_s / 3600, one.after_s / 3600
    if fell:
        back = f"The runtime counter went back by {before_h - after_h:.0f} h"
        return f"{back}, from {before_h:.0f} h to {after_h:.0f} h."
    passed_h = (one.after_us - one.before_us) / 3.6e9
    return f"The runtime counter gained {after_h - before_h:.0f} h while {passed_h:.0f} h passed."


def _measured(one: Break) -> Evidence:
    before, after = one.hours
    return Evidence(
        f"{before} hours before and {after} after, each received when it was made, agree among themselves",
        at_us=one.after_us,
        values={"before_s": one.before_s, "after_s": one.after_s, "hours_before": before, "hours_after": after},
    )


def _read_off(history: History, one: Break) -> list[Evidence]:
    """Authors who had read off more than the counter said afterwards."""
    if one.after_s >= one.before_s:
        return []
    numbers = [
        stated.number
        for stated in history.stated
        if stated.happened_us <= one.before_us and (stated.entry.runtime_s or 0) > one.after_s + FORGOTTEN_S
    ]
    return (
        [Evidence("entries before it note more than the counter says after it", tuple(numbers))] if numbers else []
    )


def _unsaved(small: bool) -> list[Evidence]:
    return (
        [Evidence("it is so little that a loss of power before it was saved may account for it")] if small else []
    )


def _against(life: Life, one: Break, said: list[Stated[CounterChanged]], swapped: list[int]) -> list[Evidence]:
    against = []
    for stated in said:
        values: dict[str, float | int | str] = {"after_s": stated.what.after}
        if stated.what.before is not None:
            values["before_s"] = stated.what.before
        text = "an entry says that the counter was set, with other figures"
        against.append(Evidence(text, (stated.number,), stated.happened_us, values))
    if swapped:
        against.append(
            Evidence("a controller was installed about then, without a word of its counter", tuple(swapped))
        )
    if not life.grace_over(one.after_us):
        against.append(Evidence("an entry about it may still be on its way"))
    return against


def _outran(life: Life, times_us: Int64, counts_s: Int64) -> Finding | None:
    """A counter that is ahead of the clock over a long time, though never in one step."""
    if len(times_us) < 2 * SUPPORT or is_break(times_us, counts_s).any():
        return None
    ahead_s = counts_s - times_us / 1e6
    gained_s = ahead_s - np.minimum.accumulate(ahead_s)
    last = min(int(np.argmax(gained_s)), len(times_us) - SUPPORT)
    first = max(int(np.argmin(ahead_s[: last + 1])), SUPPORT - 1)
    if last - first < SUPPORT or ahead_s[last] - ahead_s[first] <= OUTRUN_S:
        return None
    one = Break(
        int(times_us[first]), int(times_us[last]), int(counts_s[first]), int(counts_s[last]),
        (first + 1, len(times_us) - last),
    )  # fmt: skip
    if entries_near(life.history, (CounterChanged,), one.before_us, one.after_us):
        return None
    astray = _astray(life, one)
    sure = life.grace_over(one.after_us) and not astray
    return Finding(
        robot_id=life.robot_id,
        rule=Rule.IMPOSSIBLE,
        component="robot",
        first_us=one.before_us,
        last_us=one.after_us,
        confidence=Confidence.ESTABLISHED if sure else Confidence.SUSPECTED,
        text=_text(one, fell=False),
        evidence_for=(_measured(one),),
        evidence_against=_clock(astray),
    )


def _astray(life: Life, one: Break) -> int:
    """How many hours nobody vouches for are of about then: by a clock that was wrong a short time looks shorter."""
    hours = life.hours.at(~vouched_for(life.hours))
    first_us, last_us = one.before_us - DAY_US, one.after_us + DAY_US
    about = [(times >= first_us) & (times <= last_us) for times in (hours.last_us, hours.received_us)]
    return int((about[0] | about[1]).sum())


def _clock(astray: int) -> tuple[Evidence, ...]:
    if not astray:
        return ()
    return (
        Evidence(f"{astray} hours about then came late or by a clock that was wrong", values={"hours": astray}),
    )
