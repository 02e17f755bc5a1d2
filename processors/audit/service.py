"""Maintenance that is overdue, and no entry says that it was done: missed maintenance.

In: a `Life` with what `schemas/maintenance.py` says is overdue. Out: findings, suspected. Called by `judge.py`.

One finding a task, however many joints it is about. It stays the same one until the task is done.
"""

from itertools import groupby

from processors.audit.found import Confidence, Evidence, Finding, Rule
from processors.audit.life import ENTRY_DAYS, Life
from schemas.hours import DAY_US
from schemas.maintenance import Due


def find(life: Life) -> list[Finding]:
    """Of what is overdue for longer than a paper usually takes."""
    late = [one for one in life.overdue if one.since_us is not None and _is_over(one, life.now_us)]
    late.sort(key=lambda one: (one.task, one.since_us, one.component))
    groups = groupby(late, key=lambda one: (one.task, one.since_us))
    return [_finding(life, task, since_us or 0, list(ones)) for (task, since_us), ones in groups]


def _is_over(one: Due, now_us: int) -> bool:
    return one.overdue_since_us is None or now_us - one.overdue_since_us >= ENTRY_DAYS * DAY_US


def _finding(life: Life, task: str, since_us: int, ones: list[Due]) -> Finding:
    worst = max(ones, key=lambda one: one.used or 0.0)
    parts = {one.component for one in ones}
    used = "" if worst.used is None else f", {worst.used:.1f} times its interval over"
    entries = tuple(sorted({one.since for one in ones if one.since is not None}))
    evidence = Evidence(
        f"{task!r} of {', '.join(sorted(parts))} is overdue{used}; its clock began with that entry",
        entries,
        worst.overdue_since_us,
        {} if worst.used is None else {"used": round(worst.used, 2)},
    )
    return Finding(
        robot_id=life.robot_id,
        rule=Rule.MISSED,
        component=parts.pop() if len(parts) == 1 else "robot",
        first_us=since_us,
        last_us=life.now_us,
        confidence=Confidence.SUSPECTED,
        text=f"{task!r} is overdue, and no entry says that it was done.",
        evidence_for=(evidence,),
        evidence_against=(Evidence("it may have been done and not written down"),),
        detail=task,
    )
