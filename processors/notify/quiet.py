"""Quiet hours: when people are left alone, in the time of the place where they live.

In: the hours of a route and a time. Out: until when it is quiet. Called by `processors/notify/decide.py`. Pure.

An hour that a change of the clocks leaves out or repeats is as the zone's rules have it (`zoneinfo`): the end is
computed as a time of that place, not by adding hours.
"""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec

from schemas.health import SEVERITY, Status

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Quiet(msgspec.Struct, frozen=True, kw_only=True):
    """From `start` to `end`, over midnight where the end is before it; on the days on which they begin.

    What is at least as severe as `unless` passes.
    """

    start: time
    end: time
    zone: ZoneInfo
    days: frozenset[int] = frozenset(range(7))
    unless: Status = Status.FAILURE

    def passes(self, status: Status) -> bool:
        return SEVERITY[status] >= SEVERITY[self.unless]


def quiet_until_us(quiet: Quiet | None, now_us: int) -> int | None:
    """The end of the quiet hours that `now_us` lies in; None where it is not quiet."""
    if quiet is None:
        return None
    now = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=now_us)
    today = now.astimezone(quiet.zone).date()
    # Hours that began yesterday may reach over midnight.
    for day in (today - timedelta(days=1), today):
        if day.weekday() not in quiet.days:
            continue
        begins = datetime.combine(day, quiet.start, quiet.zone)
        last_day = day if quiet.start < quiet.end else day + timedelta(days=1)
        ends = datetime.combine(last_day, quiet.end, quiet.zone)
        if begins.astimezone(UTC) <= now < ends.astimezone(UTC):
            return (ends.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    return None
