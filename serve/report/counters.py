"""Counters over a life, and how much of it there is telemetry for.

In: facts. Out: coverage, gaps, resets, and the counters' curves. Pure. Called by `build.py`.
"""

from schemas.logbook import CounterChanged
from serve.report.facts import COUNTERS, Facts, Step
from serve.report.model import Counter, Coverage, Curve, Gap, Reset

DAY_US = 24 * 3_600_000_000
GAP_US = 2 * DAY_US
"""Ours: a robot that is off from Friday to Sunday morning has no gap."""
MOST = 100
"""Gaps and resets that are listed: the longest, the first."""
NEAR_US = 7 * DAY_US
"""Ours: an entry that a counter was changed belongs to a fall within a week of it."""


def coverage_of(facts: Facts) -> Coverage:
    """The share of days, and of running time, that there is telemetry for."""
    totals, end_us = facts.totals, _end(facts)
    begun = [us for us in (_made(facts), totals.first_us if totals else None) if us is not None]
    from_us = min(begun) if begun else None
    life_days = 0 if from_us is None else max(1, -(-(end_us - from_us) // DAY_US))
    if totals is None:
        return Coverage(from_us=from_us, until_us=end_us, is_aged=_made(facts) is not None, life_days=life_days)
    ran_s = _total(facts, "runtime_s")
    return Coverage(
        from_us=from_us,
        until_us=end_us,
        is_aged=_made(facts) is not None,
        first_us=totals.first_us,
        last_us=totals.last_us,
        life_days=max(life_days, totals.days),
        seen_days=totals.days,
        runtime_s=ran_s,
        logged_s=None if ran_s is None else min(totals.logged_s, ran_s),
        frames=totals.frames,
        missing_frames=totals.missing,
    )


def gaps_of(facts: Facts) -> tuple[tuple[Gap, ...], int]:
    """The longest, in order of time, and how many more there are. What came before the first frame is one, and so
    is what follows the last.
    """
    found = [_gap(step) for step in facts.steps if step.before_us is not None and _is_gap(step)]
    made_us, totals = _made(facts), facts.totals
    if totals is not None:
        if made_us is not None and totals.first_us - made_us >= GAP_US:
            first = totals.first
            before = Gap(
                from_us=made_us,
                until_us=totals.first_us,
                ran_s=first.get("runtime_s"),
                energy_wh=first.get("energy_wh"),
                cycles=first.get("cycles"),
            )
            found.insert(0, before)
        if _end(facts) - totals.last_us >= GAP_US:
            found.append(Gap(from_us=totals.last_us, until_us=_end(facts)))
    longest = sorted(found, key=lambda gap: gap.from_us - gap.until_us)[:MOST]
    return tuple(sorted(longest, key=lambda gap: gap.from_us)), len(found) - len(longest)


def _is_gap(step: Step) -> bool:
    return step.before_us is not None and step.at_us - step.before_us >= GAP_US


def _gap(step: Step) -> Gap:
    return Gap(
        from_us=step.before_us or 0,
        until_us=step.at_us,
        ran_s=_advance(step, "runtime_s"),
        energy_wh=_advance(step, "energy_wh"),
        cycles=_advance(step, "cycles"),
    )


def _advance(step: Step, counter: str) -> int | None:
    """None too where it fell: then nobody knows what it counted meanwhile."""
    before, after = step.counters_before.get(counter), step.counters.get(counter)
    return None if before is None or after is None or after < before else after - before


def resets_of(facts: Facts) -> tuple[Reset, ...]:
    """Each fall of a counter, with the entry that tells of it where there is one."""
    told = facts.history.of(CounterChanged)
    found = []
    for step in facts.steps:
        for counter in COUNTERS:
            before, after = step.counters_before.get(counter), step.counters.get(counter)
            if before is None or after is None or after >= before:
                continue
            near = [
                entry
                for entry in told
                if entry.what.counter == counter
                and (step.before_us or step.at_us) - NEAR_US <= entry.happened_us <= step.at_us + NEAR_US
            ]
            found.append(
                Reset(
                    counter=counter,
                    at_us=step.at_us,
                    before=before,
                    after=after,
                    entry=near[0].number if near else None,
                    reason=near[0].what.reason if near else "",
                )
            )
    return tuple(found[:MOST])


def counters_of(facts: Facts) -> tuple[Counter, ...]:
    """Those that the robot has sent."""
    totals = facts.totals
    if totals is None:
        return ()
    return tuple(
        Counter(
            name=name,
            unit=unit,
            latest=totals.latest.get(name),
            total=_total(facts, name),
            curve=_curve(facts, name),
        )
        for name, unit in COUNTERS.items()
        if totals.latest.get(name) is not None
    )


def _curve(facts: Facts, name: str) -> Curve:
    rows = [(stretch.start_us, stretch.counters[name]) for stretch in facts.stretches if name in stretch.counters]
    present = [(us, r.low, r.high) for us, r in rows if r.low is not None and r.high is not None]
    return Curve(
        name=name,
        step_us=facts.step_us,
        times_us=tuple(us for us, _, _ in present),
        low=tuple(low for _, low, _ in present),
        high=tuple(high for _, _, high in present),
    )


def _total(facts: Facts, name: str) -> int | None:
    """What it had when first seen, and all that it rose by since."""
    totals = facts.totals
    first = totals.first.get(name) if totals else None
    return None if totals is None or first is None else first + totals.advanced.get(name, 0)


def _made(facts: Facts) -> int | None:
    registered = facts.history.registered
    return registered.what.made_us if registered else None


def _end(facts: Facts) -> int:
    """Now, or when it was scrapped."""
    scrapped = facts.history.scrapped
    last_us = facts.totals.last_us if facts.totals else 0
    return facts.now_us if scrapped is None else min(facts.now_us, max(scrapped.happened_us, last_us))
