"""What has happened in the demo's fleet before it is first seen: who broke how and when, and what was done then.

In: the fleet's robots. Out: stories, who was broken at a time of the past, and what is still broken. Called by
`ingest/simulate.py` and `ingest/past.py`. Pure. All times are in seconds before the fleet goes live, so the past is
the same however often the demo is set up; only the hour of the day differs.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ingest.faults import Broken
from ingest.fleet import WORN_FOR_S, Fault
from ingest.traits import DAY_S, RELEASED_MODEL, Robot
from schemas.action import Kind

MINUTE_S, HOUR_S = 60.0, 3600.0
RELEASED_S = 25 * MINUTE_S
_RELEASED_EVERY = 12  # robots: a quarter of those of a model
_MONTH_EVERY_S = 12 * HOUR_S
_LAST_S = 2 * MINUTE_S  # so that nothing of the past falls into a window of the present

SIGNALS = {
    Fault.OVERHEAT: ("joint_temperature_c",),
    Fault.WARM: ("joint_temperature_c",),
    Fault.HOT_PACK: ("battery_temperature_c",),
}
"""Of which signals a fault makes episodes, where somebody answers them."""


@dataclass(frozen=True, slots=True)
class Story:
    """A robot's fault: for how long before the fleet goes live it had stood (s), and when it was over; None: it
    stands. `answer` and `note`: what somebody did about it.
    """

    robot: Robot
    fault: Fault
    since_s: float
    until_s: float | None = None
    answer: Kind | None = None
    note: str = ""


_Part = tuple[Fault, float, float | None, Kind | None, str]
_PLAN: dict[int, _Part] = {
    1: (Fault.WORN, WORN_FOR_S, None, None, ""),
    3: (Fault.SILENT, HOUR_S, None, None, ""),
    4: (Fault.OVERHEAT, 20 * HOUR_S, 19 * HOUR_S, Kind.ACKNOWLEDGE, "fan was blocked, cleaned"),
    6: (Fault.OVERHEAT, 9 * HOUR_S, 8.5 * HOUR_S, None, ""),
    7: (Fault.HOT_PACK, 5 * HOUR_S, None, Kind.ACKNOWLEDGE, "charger is looked at after the shift"),
    9: (Fault.WARM, 14 * HOUR_S, 12 * HOUR_S, Kind.ACKNOWLEDGE, "payload was above the rating"),
    10: (Fault.WARM, 2 * HOUR_S, None, Kind.ACKNOWLEDGE, "runs at a lower speed until the shift ends"),
    12: (Fault.WARM, 3 * HOUR_S, None, Kind.SHELVE, "grease change is planned for tonight"),
    13: (Fault.HOT_PACK, 16 * HOUR_S, 15 * HOUR_S, None, ""),
    15: (Fault.WARM, 22 * HOUR_S, 21 * HOUR_S, Kind.ACKNOWLEDGE, "hot afternoon"),
    16: (Fault.OVERHEAT, 40 * MINUTE_S, 20 * MINUTE_S, None, ""),
}
"""By robot number. Fewer robots than a flood begins with have one condition, and none one of the bad release's."""
_KNOWN_FOR_A_MONTH = (1, 4)


def stories(robots: Sequence[Robot]) -> list[Story]:
    """Of a fleet of any size; what is planned for a robot that it does not have is left out."""
    told = [Story(robots[number - 1], *part) for number, part in _PLAN.items() if number <= len(robots)]
    released = [r for r in robots if r.model is RELEASED_MODEL and r.number % _RELEASED_EVERY == 2]
    return told + [Story(robot, Fault.RELEASE, RELEASED_S) for robot in released]


def broken_at(told: Iterable[Story], live_us: int, time_us: int) -> Broken:
    """Who was broken then."""
    broken: Broken = {}
    for story in told:
        since_us, until_us = _before_us(live_us, story.since_s), _before_us(live_us, story.until_s or 0.0)
        if since_us <= time_us and (story.until_s is None or time_us < until_us):
            broken.setdefault(story.robot.code, {})[story.fault] = since_us
    return broken


def still_broken(told: Iterable[Story], live_us: int) -> Broken:
    """What has no end, with its beginning."""
    return broken_at((story for story in told if story.until_s is None), live_us, live_us)


def moments(told: Iterable[Story], live_us: int) -> list[tuple[int, Robot]]:
    """When robots have to be heard for their episodes to come about, in the order of time: before, at the beginning
    and the end of a fault twice, since a warning begins and anything ends with the second window. They are few, for
    the assessor waits for the broker three times before it judges a robot again.
    """
    found = {(_before_us(live_us, age_s), story.robot) for story in told for age_s in _ages_s(story)}
    return sorted(found, key=lambda moment: (moment[0], moment[1].number))


def _ages_s(story: Story) -> Iterator[float]:
    """Of the moments, in seconds before the fleet goes live. Of what wears, a month, and its last day closely."""
    if story.robot.number in _KNOWN_FOR_A_MONTH:
        yield from _every(WORN_FOR_S, DAY_S, _MONTH_EVERY_S)
    if story.fault is Fault.WORN:
        yield from _every(DAY_S, _LAST_S, 30 * MINUTE_S)
        return
    yield story.since_s + 10 * MINUTE_S
    for edge_s in (story.since_s, story.until_s):
        if edge_s is not None:
            yield from (edge_s - after_s for after_s in (MINUTE_S, 6 * MINUTE_S))


def _every(from_s: float, until_s: float, step_s: float) -> Iterator[float]:
    """Down from one age to another, without the latter."""
    for count in range(int((from_s - until_s) / step_s) + 1):
        if (age_s := from_s - count * step_s) > until_s:
            yield age_s


def _before_us(live_us: int, age_s: float) -> int:
    return live_us - round(age_s * 1e6)
