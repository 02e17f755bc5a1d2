"""A part's serial became another, and no entry says that it was installed: undeclared swap.

In: a `Life`. Out: findings. Called by `judge.py`.

A serial counts only once the robot was live with it for SUPPORT hours. An entry that names the new serial explains
the change whenever it arrives: a finding that was there closes by itself. One that names another serial does not
quite (it may be a slip of the pen). Where many parts change at once with a new software, it writes serials anew.
"""

from collections.abc import Sequence
from itertools import groupby, pairwise

import msgspec
import numpy as np

from processors.audit.found import Confidence, Evidence, Finding, Rule
from processors.audit.life import ENTRY_DAYS, SUPPORT, Life, count_between, near
from schemas.columns import Int64
from schemas.history import Part
from schemas.hours import DAY_US, Sighting

Pair = tuple[Sighting, Sighting]

TOGETHER = 3
"""Ours: so many parts that change at the moment of a new software are its doing."""
SOFTWARE_DAYS = 3.0
DATE_DAYS = 30
"""Ours: an entry of the right serial is about this change, though its date is so far off."""
MISREAD_HOURS = 12
"""Ours: a serial that is there for so short, between two times of another, is that other one's, misread."""


def find(life: Life) -> list[Finding]:
    """One a change of serial."""
    live_us = life.vouched.last_us
    changed = [pair for seen in supported(life.sightings, live_us).values() for pair in pairwise(seen)]
    parts = life.history.parts
    found = []
    for pair in changed:
        together = _at_once(changed, pair)
        many = len(together) if len(together) >= TOGETHER else 0
        if not (many and _rewritten(life, together)):
            found.append(_finding(life, parts, live_us, pair, many))
    return [one for one in found if one is not None]


def supported(sightings: Sequence[Sighting], live_us: Int64) -> dict[str, list[Sighting]]:
    """By component in order of time, without serials that were hardly seen; the same again is one sighting."""
    by_component: dict[str, list[Sighting]] = {}
    ordered = sorted(sightings, key=lambda one: (one.component, one.first_us))
    for component, ones in groupby(ordered, key=lambda one: one.component):
        seen: list[Sighting] = []
        for one in ones:
            if count_between(live_us, one.first_us, one.last_us) < SUPPORT:
                continue
            if len(seen) > 1 and plain(seen[-2].serial) == plain(one.serial) and _is_short(seen[-1], live_us):
                seen.pop()  # misread for a while: the part before it is there again
            if seen and plain(seen[-1].serial) == plain(one.serial):
                one = msgspec.structs.replace(one, first_us=seen.pop().first_us)
            seen.append(one)
        by_component[component] = seen
    return by_component


def _is_short(one: Sighting, live_us: Int64) -> bool:
    return count_between(live_us, one.first_us, one.last_us) <= MISREAD_HOURS


def plain(serial: str) -> str:
    """Spelling is no other part."""
    return "".join(filter(str.isalnum, serial)).upper()


def _rewritten(life: Life, at_once: Sequence[Pair]) -> bool:
    """Whether the robot's software became another about then."""
    first_us, last_us = min(one.last_us for one, _ in at_once), max(one.first_us for _, one in at_once)
    hours, leeway_us = life.hours, int(SOFTWARE_DAYS * DAY_US)
    first = max(int(np.searchsorted(hours.last_us, first_us - leeway_us)) - 1, 0)
    last = int(np.searchsorted(hours.last_us, last_us + leeway_us)) + 1
    return len(np.unique(hours.software.codes[first:last])) > 1


def _at_once(changed: Sequence[Pair], one: Pair) -> list[Pair]:
    return [other for other in changed if near(other[1].first_us, one[1].first_us, one[1].first_us, SOFTWARE_DAYS)]


def _finding(life: Life, parts: list[Part], live_us: Int64, pair: Pair, many: int) -> Finding | None:
    """`many`: how many serials changed at the same time, nought for a few."""
    before, after = pair
    first_us, last_us = before.last_us, after.first_us
    near_then = [
        part
        for part in parts
        if part.component == after.component
        and part.installed_us is not None
        and plain(part.serial) != plain(before.serial)  # how the old one came says nothing of how it went
        and near(part.installed_us, first_us, last_us, days=DATE_DAYS)
    ]
    if any(plain(part.serial) == plain(after.serial) for part in near_then):
        return None
    if life.now_us - last_us < ENTRY_DAYS * DAY_US:
        return None
    hours = [count_between(live_us, one.first_us, one.last_us) for one in (before, after)]
    waiting = not life.grace_over(last_us)
    against = [
        Evidence(f"an entry installs {part.serial!r} about then", (part.installed or 0,), part.installed_us)
        for part in near_then
    ]
    if many:
        against.append(
            Evidence(f"{many} serials changed at the same time: they may only be written in another way")
        )
    if waiting:
        against.append(Evidence("an entry about it may still be on its way"))
    return Finding(
        robot_id=life.robot_id,
        rule=Rule.SWAP,
        component=after.component,
        first_us=first_us,
        last_us=last_us,
        confidence=Confidence.SUSPECTED if against else Confidence.ESTABLISHED,
        text=f"Part {before.serial} became {after.serial}, and no entry says that it was installed.",
        evidence_for=(
            Evidence(
                f"it said itself {before.serial} in {hours[0]} hours before, {after.serial} in {hours[1]} after",
                at_us=last_us,
                values={"before": before.serial, "after": after.serial},
            ),
        ),
        evidence_against=tuple(against),
    )


def changed_between(life: Life, component: str, first_us: int, last_us: int) -> bool:
    """Whether a component's serial changed about then."""
    seen = supported(life.sightings, life.vouched.last_us).get(component, [])
    return any(near(after.first_us, first_us, last_us) for _, after in pairwise(seen))
