"""Who owned it: used before anybody owned it, two owners at once, sold soon after something was found.

In: a `Life`, and what the other rules have found. Out: findings, suspected. Called by `judge.py`.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from processors.audit.found import Confidence, Evidence, Finding, Rule
from processors.audit.life import Life, near
from schemas.hours import DAY_US
from schemas.logbook import Ownership

UNOWNED_DAYS, UNOWNED_S = 60, 100 * 3600
"""Ours: a maker tries out what it has not sold yet, but not for so long and so much."""
AT_ONCE_DAYS = 2
"""Ours: two owners within it who were written by two authors."""
SOLD_DAYS = 60
"""Ours: a transfer is close to what was found not longer before it."""
TELLING = (Rule.ROLLBACK, Rule.IMPOSSIBLE, Rule.TOO_LOW, Rule.UNLOGGED, Rule.SWAP, Rule.HIDDEN_SWAP)


def find(life: Life, others: Sequence[Finding]) -> list[Finding]:
    """In order of time."""
    return [*_unowned(life), *_at_once(life), *_sold_after(life, others)]


def _unowned(life: Life) -> list[Finding]:
    """Nothing is said of robots whose logbook does not begin with their registration."""
    hours, owners = life.vouched, life.history.of(Ownership)
    if not len(hours) or life.history.registered is None:
        return []
    first_us = int(hours.last_us[0])
    until_us = owners[0].happened_us if owners else life.now_us
    worked = hours.active_s[hours.last_us < until_us]
    worked_s = float(np.nansum(worked))
    if until_us - first_us < UNOWNED_DAYS * DAY_US or worked_s < UNOWNED_S or not life.grace_over(first_us):
        return []
    evidence = Evidence(
        f"telemetry begins {(until_us - first_us) / DAY_US:.0f} days before, with {worked_s / 3600:.0f} h of work",
        tuple(stated.number for stated in owners[:1]),
        first_us,
        {"worked_s": round(worked_s)},
    )
    text = "It was used before anybody is recorded as its owner."
    return [_finding(life, first_us, until_us, text, (evidence,), "unowned")]


def _at_once(life: Life) -> list[Finding]:
    found = []
    for one, other in pairwise(life.history.of(Ownership)):
        apart_us = other.happened_us - one.happened_us
        is_other = one.what.owner != other.what.owner and one.entry.author != other.entry.author
        if not is_other or apart_us > AT_ONCE_DAYS * DAY_US:
            continue
        evidence = Evidence(
            f"two authors name two owners within {apart_us / DAY_US:.1f} days",
            (one.number, other.number),
            one.happened_us,
        )
        against = Evidence("a dealer may have owned it in between")
        text = "Two owners are recorded at the same time."
        found.append(_finding(life, one.happened_us, other.happened_us, text, (evidence,), "at once", (against,)))
    return found


def _sold_after(life: Life, others: Sequence[Finding]) -> list[Finding]:
    found = []
    for stated in life.history.of(Ownership)[1:]:
        sold_us = stated.happened_us
        close = [
            one
            for one in others
            if one.rule in TELLING and near(sold_us, one.last_us, one.last_us + SOLD_DAYS * DAY_US)
        ]
        if not close:
            continue
        evidence = tuple(
            Evidence(f"{(sold_us - one.last_us) / DAY_US:.0f} days before: {one.text}", at_us=one.last_us,
                     values={"finding": one.finding_id})
            for one in close
        )  # fmt: skip
        sale = Evidence("another owner is recorded", (stated.number,), sold_us)
        found.append(
            _finding(life, min(one.first_us for one in close), sold_us, "It was sold soon after something that "
                     "does not fit.", (sale, *evidence), "sold", (Evidence("both may have come about by chance"),))
        )  # fmt: skip
    return found


def _finding(
    life: Life, first_us: int, last_us: int, text: str, for_: tuple[Evidence, ...], detail: str,
    against: tuple[Evidence, ...] = (),
) -> Finding:  # fmt: skip
    return Finding(
        robot_id=life.robot_id,
        rule=Rule.OWNERSHIP,
        component="robot",
        first_us=first_us,
        last_us=last_us,
        confidence=Confidence.SUSPECTED,
        text=text,
        evidence_for=for_,
        evidence_against=against,
        detail=detail,
    )
