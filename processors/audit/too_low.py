"""The runtime counter counts less than the robot works: runtime too low.

In: a `Life`. Out: findings. Called by `judge.py`.

What counts as working is the maker's affair, so a robot is held against itself: the share of its reported work that
its counter counts, as it usually is. A week and more with clearly less is looked at. A robot that only stands there
switched on for longer, or whose software has another idea of working, uses no more energy and makes no more cycles
an hour of runtime; one whose counter was slowed does, by as much as it was slowed. So energy and cycles decide.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from processors.audit.counters import OUTRUN_S, is_break
from processors.audit.found import Confidence, Evidence, Finding, Rule
from processors.audit.life import Bools, Change, Life, changes, near
from schemas.columns import ABSENT, Float32, Int64
from schemas.hours import DAY_US, HOUR_US, Hours

DAY_ACTIVE_S = 3600.0
"""Ours: a day with less reported work says nothing."""
DAYS = 7
"""Ours: over so many such days the share is taken, and so many must be low."""
LOW = 0.93
"""Ours: below so much of its usual share it is looked at."""
LACKING_S = 10 * 3600
"""Ours: less is not worth a word."""
CONCURS = 0.5
"""Ours: of the slowing that work shows, so much (as logarithms) must show in energy or cycles too."""
NEIGHBOURS = 30


@dataclass(frozen=True, slots=True)
class Days:
    """By day with work: its number since 1970, work reported, runtime, energy and cycles gained in the same hours.

    `use`: the code of what it is used for.
    """

    day: Int64
    active_s: Float32
    runtime_s: Float32
    energy_wh: Float32
    cycles: Float32
    use: NDArray[np.int32]


def find(life: Life) -> list[Finding]:
    """One a stretch of days."""
    hours = life.vouched
    hours = hours.at(hours.runtime_s != ABSENT)
    days = by_day(hours)
    if len(days.day) < 3 * DAYS:
        return []
    return _search(life, hours, days, 0, len(days.day))


def _search(life: Life, hours: Hours, days: Days, begin: int, end: int) -> list[Finding]:
    """In a stretch that is low for another reason there may be one that is lower still."""
    share = _smooth(days.runtime_s[begin:end]) / _smooth(days.active_s[begin:end])
    usual = float(np.quantile(share, 0.8))
    found = []
    for first, last in _runs(share < LOW * usual) if usual > 0 else []:
        finding = _finding(life, hours, days, begin + first, begin + last, usual)
        if finding is not None:
            found.append(finding)
        elif 3 * DAYS <= last + 1 - first < end - begin:
            found += _search(life, hours, days, begin + first, begin + last + 1)
    return found


def by_day(hours: Hours) -> Days:
    """Only of hours that follow one another: what happened between others is not seen."""
    if len(hours) < 2:
        none = np.empty(0, np.float32)
        return Days(np.empty(0, np.int64), none, none, none, none, np.empty(0, np.int32))
    follows = np.diff(hours.start_us) == HOUR_US
    broken = is_break(hours.last_us, hours.runtime_s) | (np.diff(hours.runtime_s) < 0)
    counts = follows & ~broken & ~np.isnan(hours.active_s[1:])
    day = hours.start_us[1:] // DAY_US
    begins = np.concatenate([[0], np.nonzero(day[1:] != day[:-1])[0] + 1])

    def of_day(values: "np.typing.NDArray[np.floating] | Int64", good: Bools = counts) -> Float32:
        return np.add.reduceat(np.where(good, values, 0).astype(np.float32), begins)

    gained = [np.diff(c) for c in (hours.energy_wh, hours.cycles)]
    there = [counts & (c[1:] != ABSENT) & (c[:-1] != ABSENT) & (g >= 0)
             for c, g in zip((hours.energy_wh, hours.cycles), gained, strict=True)]  # fmt: skip
    active = of_day(hours.active_s[1:])
    enough = active >= DAY_ACTIVE_S
    columns = (active, of_day(np.diff(hours.runtime_s)), of_day(gained[0], there[0]), of_day(gained[1], there[1]))
    use = hours.scenario.codes[1:][begins][enough]
    chosen = [column[enough] for column in columns]
    return Days(day[begins][enough], chosen[0], chosen[1], chosen[2], chosen[3], use)


def _smooth(values: Float32) -> Float32:
    """Sum over DAYS around each."""
    return np.convolve(np.pad(values, DAYS // 2, mode="edge"), np.ones(DAYS, np.float32), "valid").astype(
        np.float32
    )


def _runs(low: Bools) -> list[tuple[int, int]]:
    """First and last (included) of stretches of at least DAYS; what is hardly apart is one."""
    up = np.nonzero(low)[0]
    for first, last in pairwise(up.tolist()):
        low[first:last] |= last - first <= 2 * DAYS
    edges = np.diff(np.concatenate([[0], low.astype(np.int8), [0]]))
    pairs = zip(np.nonzero(edges == 1)[0].tolist(), (np.nonzero(edges == -1)[0] - 1).tolist(), strict=True)
    return [(first, last) for first, last in pairs if last - first + 1 >= DAYS]


def _finding(life: Life, hours: Hours, days: Days, first: int, last: int, usual: float) -> Finding | None:
    chosen = slice(first, last + 1)
    active_s, runtime_s = float(days.active_s[chosen].sum()), float(days.runtime_s[chosen].sum())
    lacking_s = usual * active_s - runtime_s
    if lacking_s < LACKING_S:
        return None
    slowed, *others = (_step(days, counts, first, last) for counts in (days.active_s, days.energy_wh, days.cycles))
    steps = dict(zip(("energy_wh", "cycles"), others, strict=True))
    if slowed < -math.log(LOW):
        return None
    concur = [name for name, step in steps.items() if step >= CONCURS * slowed]
    # Energy alone rises too where a robot only stands there: it speaks where nothing is known of cycles.
    if not concur or ("cycles" not in concur and not math.isinf(steps["cycles"])):
        return None
    first_us, last_us = int(days.day[first]) * DAY_US, int(days.day[last] + 1) * DAY_US
    other = _changes_near(hours, first_us)
    sure = len(concur) == len(steps) and not other
    evidence = Evidence(
        f"in {last - first + 1} days it reported {active_s / 3600:.0f} h of work, counted {runtime_s / 3600:.0f} h",
        at_us=first_us,
        values={"active_s": round(active_s), "runtime_s": round(runtime_s), "usual_share": round(usual, 3)},
    )
    return Finding(
        robot_id=life.robot_id,
        rule=Rule.TOO_LOW,
        component="robot",
        first_us=first_us,
        last_us=last_us,
        confidence=Confidence.ESTABLISHED if sure else Confidence.SUSPECTED,
        text=f"The runtime counter counted about {lacking_s / 3600:.0f} h less than the robot worked.",
        evidence_for=(evidence, *(_concurring(name, steps[name]) for name in concur)),
        evidence_against=(
            *(_dissenting(name, step) for name, step in steps.items() if name not in concur),
            *(Evidence(f"{c.before!r} became {c.after!r} about then", at_us=c.us) for c in other),
        ),
    )


def _step(days: Days, counts: Float32, first: int, last: int) -> float:
    """By how much (logarithm) more is counted an hour of runtime than next to it, at its beginning and, where it
    has ended, at its end: the smaller of both. Only of days of the same use. -inf: not known."""
    middle = min(NEIGHBOURS, last + 1 - first)
    begun = _against(days, counts, range(first, first + middle), range(first - NEIGHBOURS, first))
    ended = _against(days, counts, range(last + 1 - middle, last + 1), range(last + 1, last + 1 + NEIGHBOURS))
    known = [step for step in (begun, ended) if not math.isnan(step)]
    return min(known, default=-math.inf)


def _against(days: Days, counts: Float32, inside: range, outside: range) -> float:
    """NaN where there are fewer than DAYS days of one use outside, or nothing is counted."""
    near, beyond = (np.array([at for at in span if 0 <= at < len(counts)], np.int64) for span in (inside, outside))
    if len(beyond) < DAYS:
        return math.nan
    use = np.bincount(days.use[near]).argmax()
    near, beyond = near[days.use[near] == use], beyond[days.use[beyond] == use]
    if len(beyond) < DAYS or min(counts[near].sum(), counts[beyond].sum()) <= 0:
        return math.nan
    rates = [float(counts[at].sum()) / max(float(days.runtime_s[at].sum()), OUTRUN_S) for at in (near, beyond)]
    return math.log(rates[0] / rates[1])


def _concurring(name: str, step: float) -> Evidence:
    what = {"energy_wh": "energy", "cycles": "cycles"}[name]
    return Evidence(
        f"{what} an hour of runtime was {math.exp(step):.2f} times the usual",
        values={"times": round(math.exp(step), 3)},
    )


def _dissenting(name: str, step: float) -> Evidence:
    what = {"energy_wh": "energy", "cycles": "cycles"}[name]
    if math.isinf(step):
        return Evidence(f"its {what} is not known")
    return Evidence(f"{what} an hour of runtime was as usual", values={"times": round(math.exp(step), 3)})


def _changes_near(hours: Hours, first_us: int) -> list[Change]:
    """Another software or use at its beginning."""
    all_changes = changes(hours.software, hours.start_us) + changes(hours.scenario, hours.start_us)
    return [change for change in all_changes if near(change.us, first_us, first_us, days=DAYS / 2)]
