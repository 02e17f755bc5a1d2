"""One serial live in two robots, or one code live in two places: cloned part, cloned robot.

In: a `Life`. Out: findings. Called by `judge.py`.

A part that moves on is seen in one robot after the other. Only where both were live, each for SUPPORT hours by a
clock that is vouched for, while both reported the serial, does it exist twice.

Two robots under one code are two counters in turn: it falls and jumps ahead again and again, and both of its
courses advance. A counter that fails reads the same wrong value each time, so one of its courses stands still.
"""

from typing import NamedTuple

import numpy as np

from processors.audit.counters import FORGOTTEN_S, is_break, runtime
from processors.audit.found import Confidence, Evidence, Finding, Rule
from processors.audit.life import SUPPORT, Life, count_between
from schemas.columns import Int64
from schemas.hours import DAY_US, Elsewhere

TURNS = 6
"""Ours: so often the counter must turn within WITHIN_US."""
WITHIN_US = 7 * DAY_US
APART_US = 30 * DAY_US
"""Ours: what lies further apart is told as two findings."""


class Stretch(NamedTuple):
    """Positions in the vouched hours, both included, between which there are two robots; how often it turned."""

    first: int
    last: int
    turns: int


def find(life: Life) -> list[Finding]:
    """Of the robot, and of its parts."""
    live_us = life.vouched.last_us
    parts = [_part(life, live_us, other) for other in life.elsewhere]
    return [*(_robot(life, stretch) for stretch in stretches(life)), *(one for one in parts if one is not None)]


def stretches(life: Life) -> list[Stretch]:
    """Where two robots speak under this code."""
    times_us, counts_s = runtime(life)
    turns = np.nonzero(is_break(times_us, counts_s))[0] + 1
    if len(turns) < TURNS:
        return []
    dense = times_us[turns[TURNS - 1 :]] - times_us[turns[: len(turns) - TURNS + 1]] <= WITHIN_US
    inside = np.zeros(len(turns), bool)
    for start in np.nonzero(dense)[0]:
        inside[start : start + TURNS] = True
    chosen = turns[inside]
    if not len(chosen):
        return []
    groups = np.split(chosen, np.nonzero(np.diff(times_us[chosen]) > APART_US)[0] + 1)
    found = [Stretch(int(g[0]) - 1, int(g[-1]), len(g)) for g in groups]
    return [one for one in found if _both_advance(counts_s[one.first : one.last + 1])]


def _both_advance(counts_s: Int64) -> bool:
    """Whether both courses between which a counter turns go on."""
    threshold = (int(counts_s.min()) + int(counts_s.max())) / 2
    return all(
        len(course) >= SUPPORT and np.ptp(course) > FORGOTTEN_S and (np.diff(course) >= -FORGOTTEN_S).mean() > 0.9
        for course in (counts_s[counts_s > threshold], counts_s[counts_s <= threshold])
    )


def _robot(life: Life, stretch: Stretch) -> Finding:
    times_us, counts_s = runtime(life)
    inside = counts_s[stretch.first : stretch.last + 1]
    boots = life.vouched.boots[life.vouched.runtime_s >= 0][stretch.first : stretch.last + 1]
    two_boots = int((boots >= 2).sum())
    evidence = Evidence(
        f"its runtime turned {stretch.turns} times between two courses, which both advance",
        at_us=int(times_us[stretch.first]),
        values={"lowest_s": int(inside.min()), "highest_s": int(inside.max()), "turns": stretch.turns},
    )
    boot_text = f"{two_boots} of {len(boots)} hours have frames of more than one boot"
    has_boots = two_boots >= SUPPORT
    return Finding(
        robot_id=life.robot_id,
        rule=Rule.CLONED_ROBOT,
        component="robot",
        first_us=int(times_us[stretch.first]),
        last_us=int(times_us[stretch.last]),
        confidence=Confidence.ESTABLISHED if has_boots else Confidence.SUSPECTED,
        text="Two robots send under this code.",
        evidence_for=(evidence, *((Evidence(boot_text),) if has_boots else ())),
        evidence_against=() if has_boots else (Evidence(boot_text),),
    )


def _part(life: Life, live_us: Int64, other: Elsewhere) -> Finding | None:
    own = count_between(live_us, other.first_us, other.last_us)
    if min(own, other.hours) == 0:
        return None
    sure = min(own, other.hours) >= SUPPORT
    return Finding(
        robot_id=life.robot_id,
        rule=Rule.CLONED_PART,
        component=other.component,
        first_us=other.first_us,
        last_us=other.last_us,
        confidence=Confidence.ESTABLISHED if sure else Confidence.SUSPECTED,
        text=f"Robot {other.robot_id} had a part of the same serial at the same time.",
        evidence_for=(
            Evidence(
                f"while both reported it, this robot was live in {own} hours and the other in {other.hours}",
                at_us=other.first_us,
                values={"own_hours": own, "other_hours": other.hours, "other": other.robot_id},
            ),
        ),
        evidence_against=() if sure else (Evidence("so few hours may be a transfer whose times are not exact"),),
        detail=other.robot_id,
    )
