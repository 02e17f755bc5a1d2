"""A part is younger than it was, and its serial and the logbook know nothing of it: hidden swap.

In: a `Life`. Out: findings, suspected all of them. Called by `judge.py`.

A joint's consumed life never falls. Where its level of many days steps down and stays there, either another gear is
in it or the estimate changed. Grease changes friction, a calibration backlash, a new software every joint at once,
and the cold goes by. A new gear changes wear, and mostly the rest with it. So: wear must step, of few joints; an
entry about the joint explains it unless backlash and friction say otherwise as well. Of a battery, health must step
up and its resistance down together: one that has only learned its capacity anew keeps its resistance.
"""

import math
from typing import NamedTuple

import numpy as np

from processors.audit.found import Confidence, Evidence, Finding, Rule
from processors.audit.life import ENTRY_DAYS, Life, changes, near
from processors.audit.swap import changed_between
from schemas.columns import Float32
from schemas.history import History, Stated
from schemas.hours import DAY_US
from schemas.logbook import Calibration, MaintenanceDone, PartInstalled, PartRemoved

DAYS = 7
"""Ours: days with data whose level is taken on either side."""
FOR_GOOD = 14
"""Ours: so many days on either side must agree with it."""
SIGMAS = 6.0
WEAR_STEP = 0.03
"""Ours, of consumed life: less is no other gear."""
WEAR_RENEWED = 0.5
"""Ours: where an entry explains a step, so much of its wear must be gone to doubt that."""
BACKLASH_RENEWED, FRICTION_RENEWED = 0.85, 0.93
"""Ours: below so much of what they were before, they speak for another gear."""
SOH_STEP, RESISTANCE_RENEWED = 0.03, 0.93
LONG_DAYS, RESISTANCE_LATER = 30, 0.88
"""Ours: where there are so many days between before and after, resistance changes with the season too."""
SOFTWARE_DAYS = 3.0


class Step(NamedTuple):
    """On day number `at` of the levels, a level went from `before` to `after`."""

    at: int
    before: float
    after: float


def find(life: Life) -> list[Finding]:
    """One a step."""
    if len(life.levels) < DAYS + FOR_GOOD:
        return []
    return [*_joints(life), *_battery(life)]


def _joints(life: Life) -> list[Finding]:
    levels = life.levels
    wear = filled(levels.wear)
    sizes = step_sizes(wear)
    least = np.maximum(WEAR_STEP, SIGMAS * noise(wear) * math.sqrt(2 / DAYS))
    found = []
    for joint in np.nonzero((sizes > least).any(axis=0))[0].tolist():
        for step in steps(wear[:, joint], sizes[:, joint], float(least[joint])):
            finding = _joint(life, joint, step, sizes)
            if finding is not None:
                found.append(finding)
    return found


def filled(values: Float32) -> Float32:
    """Days × slots without NaN: the last value before, else the first one after; nought where there is none."""
    at = np.where(np.isnan(values), -1, np.arange(len(values))[:, None])
    at = np.maximum.accumulate(at, axis=0)
    first = np.argmax(~np.isnan(values), axis=0)
    at = np.where(at < 0, first, at)
    return np.nan_to_num(np.take_along_axis(values, at, axis=0))


def step_sizes(values: Float32) -> Float32:
    """How much lower the DAYS from each day on are than the DAYS before it; nought where there are too few."""
    total = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0, dtype=np.float64)])
    sizes = np.zeros(values.shape, np.float32)
    before = total[DAYS:-DAYS] - total[: -2 * DAYS]
    after = total[2 * DAYS :] - total[DAYS:-DAYS]
    sizes[DAYS : len(values) - DAYS + 1] = (before - after) / DAYS
    return sizes


def noise(values: Float32) -> Float32:
    """A standard deviation from one day to the next, by slot; a step hardly counts in it."""
    return np.asarray(1.4826 / math.sqrt(2) * np.median(np.abs(np.diff(values, axis=0)), axis=0), np.float32)


def steps(values: Float32, sizes: Float32, least: float) -> list[Step]:
    """Steps down for good of one slot, the largest first."""
    found, left = [], sizes.copy()
    while left.max() > least:
        at = int(np.argmax(left))
        left[max(at - FOR_GOOD, 0) : at + FOR_GOOD] = 0
        if at < FOR_GOOD or len(values) - at < FOR_GOOD:
            continue
        before, after = float(np.median(values[at - DAYS : at])), float(np.median(values[at : at + DAYS]))
        size = before - after
        earlier = float(np.median(values[max(at - 3 * FOR_GOOD, 0) : at - DAYS]))
        later = float(np.median(values[at + DAYS : at + 3 * FOR_GOOD]))
        if size > least and earlier > before - 0.5 * size and later < after + 0.5 * size:
            found.append(Step(at, before, after))
    return found


def _joint(life: Life, joint: int, step: Step, sizes: Float32) -> Finding | None:
    component = f"joint/{joint + 1}"
    first_us, last_us = _between(life, step.at)
    if _is_known(life, component, first_us, last_us):
        return None
    window = slice(max(step.at - 2, 0), step.at + 3)
    others = int((sizes[window].max(axis=0) > 0.3 * (step.before - step.after)).sum()) - 1
    software = [c for c in changes(life.hours.software, life.hours.start_us)
                if near(c.us, first_us, last_us, SOFTWARE_DAYS)]  # fmt: skip
    if (software and others >= 1) or others >= sizes.shape[1] / 3:
        return None
    backlash = _share(life.levels.backlash[:, joint], step.at)
    friction = _share(_beside_others(life.levels.friction, joint), step.at)
    signs = [backlash < BACKLASH_RENEWED, friction < FRICTION_RENEWED]
    entries = _serviced(life.history, component, first_us, last_us)
    if (entries or software) and not (all(signs) and step.after < WEAR_RENEWED * step.before):
        return None
    text = f"{component} lost {step.before - step.after:.2f} of its wear for good: it behaves like another part."
    for_, against = _evidence(step, {"backlash": backlash, "friction": friction}, signs)
    if entries:
        against.append(Evidence("an entry tells of work on it about then", tuple(entries)))
    against += [Evidence(f"software {c.before!r} became {c.after!r} about then", at_us=c.us) for c in software]
    return _finding(life, component, step.at, text, for_, against)


def _evidence(step: Step, shares: dict[str, float], signs: list[bool]) -> tuple[list[Evidence], list[Evidence]]:
    values: dict[str, float | int | str] = {"before": round(step.before, 3), "after": round(step.after, 3)}
    for_, against = [Evidence("its wear, which never falls, stepped down for good", values=values)], []
    for (name, share), sign in zip(shares.items(), signs, strict=True):
        if math.isnan(share):
            against.append(Evidence(f"its {name} is not known"))
        else:
            side = for_ if sign else against
            side.append(Evidence(f"its {name} is {share:.2f} of what it was", values={"share": round(share, 3)}))
    return for_, against


def _battery(life: Life) -> list[Finding]:
    health = filled(-life.levels.soh[:, None])
    sizes = step_sizes(health)
    least = max(SOH_STEP, SIGMAS * float(noise(health)[0]) * math.sqrt(2 / DAYS))
    found = []
    for step in steps(health[:, 0], sizes[:, 0], least):
        first_us, last_us = _between(life, step.at)
        resistance = _share(life.levels.resistance, step.at)
        is_long = last_us - first_us > LONG_DAYS * DAY_US
        limit = RESISTANCE_LATER if is_long else RESISTANCE_RENEWED
        if _is_known(life, "battery", first_us, last_us) or not resistance < limit:
            continue
        entries = _serviced(life.history, "battery", first_us, last_us)
        values: dict[str, float | int | str] = {"before": round(-step.before, 3), "after": round(-step.after, 3)}
        for_ = [
            Evidence("its health stepped up for good", values=values),
            Evidence(f"its resistance is {resistance:.2f} of what it was", values={"share": round(resistance, 3)}),
        ]
        against = [Evidence("an entry tells of work on it about then", tuple(entries))] if entries else []
        text = (
            f"The battery's health rose from {-step.before:.2f} to {-step.after:.2f}: it behaves like another one."
        )
        found.append(_finding(life, "battery", step.at, text, for_, against))
    return found


def _finding(
    life: Life, component: str, at: int, text: str, for_: list[Evidence], against: list[Evidence]
) -> Finding:
    first_us, last_us = _between(life, at)
    return Finding(
        robot_id=life.robot_id,
        rule=Rule.HIDDEN_SWAP,
        component=component,
        first_us=first_us,
        last_us=last_us,
        confidence=Confidence.SUSPECTED,
        text=text,
        evidence_for=tuple(for_),
        evidence_against=tuple(against),
    )


def _between(life: Life, at: int) -> tuple[int, int]:
    return int(life.levels.day[at - 1]) * DAY_US, int(life.levels.day[at] + 1) * DAY_US


def _is_known(life: Life, component: str, first_us: int, last_us: int) -> bool:
    """Whether an entry or its serial says that there is another part: that is no secret, or another finding."""
    whats: list[Stated[PartInstalled] | Stated[PartRemoved]] = [
        *life.history.of(PartInstalled),
        *life.history.of(PartRemoved),
    ]
    return changed_between(life, component, first_us, last_us) or any(
        stated.what.component == component and near(stated.happened_us, first_us, last_us, ENTRY_DAYS)
        for stated in whats
    )


def _serviced(history: History, component: str, first_us: int, last_us: int) -> list[int]:
    whats: list[Stated[MaintenanceDone] | Stated[Calibration]] = [
        *history.of(MaintenanceDone),
        *history.of(Calibration),
    ]
    return [
        stated.number
        for stated in whats
        if stated.what.component in (component, "robot") and near(stated.happened_us, first_us, last_us, ENTRY_DAYS)
    ]


def _share(values: Float32, at: int) -> float:
    """A level after a day as a share of that before; NaN where one of them is not known."""
    before, after = values[max(at - FOR_GOOD, 0) : at], values[at : at + FOR_GOOD]
    before, after = before[~np.isnan(before)], after[~np.isnan(after)]
    if not len(before) or not len(after) or np.median(before) == 0:
        return math.nan
    return float(np.median(after) / np.median(before))


def _beside_others(values: Float32, joint: int) -> Float32:
    """A joint's level over the mean of the others': what is asked of all of them goes out."""
    if values.shape[1] < 2:
        return values[:, joint]
    others = (np.nansum(values, axis=1) - np.nan_to_num(values[:, joint])) / (values.shape[1] - 1)
    return np.asarray(np.divide(values[:, joint], others, out=np.full_like(others, np.nan), where=others > 0))
