"""One simulated life: what was found of what was done, and what was said of honest robots.

In: a `SimulatedLife`. Out: `Scored`, plain and small, for it travels between processes. Called by `run.py`.

A life is judged some months after its end, when every paper has come, and as of two moments soon after something
honest happened in it, since an accusation that is taken back later was one all the same.
"""

from collections.abc import Sequence
from dataclasses import fields

import msgspec
import numpy as np

from ingest.lives.events import SERVICE
from ingest.lives.truth import Fraud, SimulatedLife, Truth
from processors.audit.found import Confidence, Finding, Rule
from processors.audit.judge import judge
from processors.audit.levels import levels
from processors.audit.life import Life, near, vouched_for
from schemas.history import History
from schemas.hours import DAY_US, Hours, Joints
from schemas.maintenance import Counted, Counters, Due, State, due, moments

NAMED = {
    Fraud.ROLLBACK: (Rule.ROLLBACK,),
    Fraud.JUMP: (Rule.IMPOSSIBLE, Rule.UNLOGGED),  # across a gap nobody can tell which
    Fraud.SLOWED: (Rule.TOO_LOW,),
    Fraud.SWAP: (Rule.SWAP,),
    Fraud.HIDDEN: (Rule.HIDDEN_SWAP,),
    Fraud.HIDDEN_BATTERY: (Rule.HIDDEN_SWAP,),
    Fraud.CLONED_PART: (Rule.CLONED_PART,),
    Fraud.CLONED_ROBOT: (Rule.CLONED_ROBOT,),
    Fraud.UNLOGGED: (Rule.UNLOGGED,),
    Fraud.MISSED: (Rule.MISSED,),
    Fraud.UNOWNED: (Rule.OWNERSHIP,),
    Fraud.SOLD_TWICE: (Rule.OWNERSHIP,),
    Fraud.SOLD_AFTER: (Rule.OWNERSHIP,),
    Fraud.SCRAPPED: (Rule.SCRAPPED,),
}
"""Which rules name what was done."""
ALSO = {
    Fraud.ROLLBACK: (Rule.OWNERSHIP,),
    Fraud.SLOWED: (Rule.OWNERSHIP,),
    Fraud.SWAP: (Rule.HIDDEN_SWAP, Rule.OWNERSHIP),
    Fraud.HIDDEN: (Rule.OWNERSHIP,),
    Fraud.HIDDEN_BATTERY: (Rule.OWNERSHIP,),
    Fraud.UNLOGGED: (Rule.OWNERSHIP,),
    Fraud.JUMP: (Rule.OWNERSHIP,),
    Fraud.CLONED_ROBOT: (Rule.ROLLBACK, Rule.IMPOSSIBLE, Rule.UNLOGGED, Rule.TOO_LOW, Rule.OWNERSHIP),
}
"""What else is true of it: another part behaves like another part, two robots do not count as one, and whatever is
sold soon after is."""
SLACK_DAYS = 20
AFTER_DAYS = (1, 2, 4, 8, 15, 22, 31, 38, 45, 60, 90, 180, 365)
MOMENTS = 2
JUDGED_DAYS = 120


class Seen(msgspec.Struct, frozen=True):
    """A truth, and how it was found. Delays in days: until suspected or better, until established; None: never."""

    kind: str
    size: float
    unit: str
    confidence: str
    delay_days: float | None
    established_days: float | None


class Said(msgspec.Struct, frozen=True):
    """A finding that nothing true stands behind. `near`: what honest thing happened about then."""

    rule: str
    confidence: str
    robot_id: str
    text: str
    near: tuple[str, ...]
    at_end: bool


class Scored(msgspec.Struct, frozen=True):
    """`rights`: rule and confidence of every finding at the end that is true."""

    hours: int
    seen: tuple[Seen, ...]
    said: tuple[Said, ...]
    rights: tuple[tuple[str, str], ...]
    lookalikes: tuple[str, ...]


def score(simulated: SimulatedLife, seed: int) -> Scored:
    """Deterministic."""
    found = judge(as_of(simulated, simulated.end_us + JUDGED_DAYS * DAY_US))
    rights = tuple((one.rule.value, one.confidence.value) for one in found if is_true(one, simulated.truths))
    said = [*_false(simulated, found, at_end=True)]
    for us in _moments(simulated, seed):
        said += _false(simulated, judge(as_of(simulated, us)), at_end=False)
    return Scored(
        len(simulated.hours),
        tuple(_seen(simulated, truth, found) for truth in simulated.truths),
        tuple(dict.fromkeys(said)),
        rights,
        tuple(one.kind.value for one in simulated.lookalikes),
    )


def as_of(simulated: SimulatedLife, us: int) -> Life:
    """What was known by then: what had been received."""
    hours, joints = simulated.hours, simulated.joints
    known = hours.received_us <= us
    if not known.all():
        hours = hours.at(known)
        joints = Joints(*(getattr(joints, field.name)[known] for field in fields(joints)))
    stated = tuple(one for one in simulated.history.stated if one.received_us <= us)
    history = msgspec.structs.replace(simulated.history, stated=stated)
    cut = {"last_us": us}
    return Life(
        robot_id=simulated.robot_id,
        now_us=us,
        hours=hours,
        levels=levels(hours, joints),
        history=history,
        sightings=[
            one if one.last_us <= us else msgspec.structs.replace(one, **cut)
            for one in simulated.sightings
            if one.first_us <= us
        ],
        elsewhere=[
            one if one.last_us <= us else msgspec.structs.replace(
                one, last_us=us, hours=int(one.hours * (us - one.first_us) / (one.last_us - one.first_us))
            )
            for one in simulated.elsewhere
            if one.first_us <= us
        ],
        overdue=_overdue(hours, history, min(us, simulated.end_us)),  # nobody serviced it after its end
    )  # fmt: skip


def _overdue(hours: Hours, history: History, us: int) -> list[Due]:
    """By the only task of these robots' plan."""
    if not len(hours):
        return []
    good = hours.at(vouched_for(hours))
    times = [*moments(history), us]
    at = np.searchsorted(good.last_us, times, "right") - 1
    points = [
        Counted(time_us, int(good.runtime_s[place]), int(good.cycles[place]))
        for time_us, place in zip(times, at.tolist(), strict=True)
        if place >= 0
    ]
    return [one for one in due((SERVICE,), history, Counters(points), us) if one.state is State.OVERDUE]


def is_true(finding: Finding, truths: Sequence[Truth]) -> bool:
    return any(_names(finding, truth, (*NAMED[truth.kind], *ALSO.get(truth.kind, ()))) for truth in truths)


def _names(finding: Finding, truth: Truth, rules: tuple[Rule, ...]) -> bool:
    if finding.rule not in rules or (finding.component != truth.component and finding.rule is not Rule.OWNERSHIP):
        return False
    slack_us = SLACK_DAYS * DAY_US
    return finding.first_us <= truth.last_us + slack_us and truth.first_us <= finding.last_us + slack_us


def _seen(simulated: SimulatedLife, truth: Truth, found: list[Finding]) -> Seen:
    naming = [one for one in found if _names(one, truth, NAMED[truth.kind])]
    sure = any(one.confidence is Confidence.ESTABLISHED for one in naming)
    confidence = Confidence.ESTABLISHED if sure else Confidence.SUSPECTED
    delay, established = _delays(simulated, truth, sure) if naming else (None, None)
    return Seen(truth.kind.value, truth.size, truth.unit, confidence.value if naming else "", delay, established)


def _delays(simulated: SimulatedLife, truth: Truth, sure: bool) -> tuple[float | None, float | None]:
    """Days from its beginning, as far as AFTER_DAYS tell; up to its end, where it is later than those."""
    first: float | None = None
    for days in AFTER_DAYS:
        us = truth.first_us + days * DAY_US
        if us >= simulated.end_us + JUDGED_DAYS * DAY_US:
            break
        naming = [one for one in judge(as_of(simulated, us)) if _names(one, truth, NAMED[truth.kind])]
        if naming and first is None:
            first = days
        if any(one.confidence is Confidence.ESTABLISHED for one in naming):
            return first, days
        if first is not None and not sure:
            return first, None
    end = (simulated.end_us - truth.first_us) / DAY_US + JUDGED_DAYS
    return (end if first is None else first), (end if sure else None)


def _false(simulated: SimulatedLife, found: list[Finding], *, at_end: bool) -> list[Said]:
    return [
        Said(
            one.rule.value, one.confidence.value, simulated.robot_id, one.text, _lookalikes(simulated, one), at_end
        )
        for one in found
        if not is_true(one, simulated.truths)
    ]


def _lookalikes(simulated: SimulatedLife, finding: Finding) -> tuple[str, ...]:
    return tuple(sorted({
        one.kind.value
        for one in simulated.lookalikes
        if near(one.first_us, finding.first_us, finding.last_us)
        or one.first_us <= finding.first_us <= one.last_us
    }))  # fmt: skip


def _moments(simulated: SimulatedLife, seed: int) -> list[int]:
    """Soon after something honest: within two months, when papers are on their way."""
    if not simulated.lookalikes:
        return []
    rng = np.random.default_rng([seed, len(simulated.hours)])
    chosen = rng.integers(len(simulated.lookalikes), size=MOMENTS)
    times = [simulated.lookalikes[at].last_us + int(rng.uniform(0, 60) * DAY_US) for at in chosen.tolist()]
    return [us for us in times if us < simulated.end_us]
