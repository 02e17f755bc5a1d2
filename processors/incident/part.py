"""Which part failed. Pure.

In: a `Case`. Out: a component's path, or nothing where no single one stands out. Called by `verdict.py`.
"""

from processors.incident.case import Case
from processors.incident.evidence import STARTED
from processors.incident.usual import reached

SHOWN = 1.3
AHEAD = 1.1  # of the next one, where no alarm tells them apart
_NO_PART = ("robot", "accuracy", "")


def failed_part(case: Case) -> str:
    """The component that is farthest from what is usual for it among those with the severest alarms; without alarms
    of a component, among all.
    """
    far = _how_far(case)
    alarmed: dict[str, int] = {}
    for alarm in case.alarms:
        if alarm.component not in _NO_PART:
            alarmed[alarm.component] = max(alarm.severity, alarmed.get(alarm.component, 0))
    worst = max(alarmed.values(), default=0)
    candidates = [part for part in alarmed if alarmed[part] == worst] or [p for p in far if far[p] >= SHOWN]
    ranked = sorted(candidates, key=lambda part: (-far.get(part, 0.0), part))
    if len(ranked) > 1 and far.get(ranked[0], 0.0) < AHEAD * far.get(ranked[1], 0.0):
        return ""
    return ranked[0] if ranked else ""


def _how_far(case: Case) -> dict[str, float]:
    far: dict[str, float] = {}
    for part, signal in case.window.readings:
        if signal in STARTED and (times := reached(case, (part, signal))) is not None:
            far[part] = max(times, far.get(part, 0.0))
    return far
