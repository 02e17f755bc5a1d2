"""Which stretch of time, and which joints, a robot's charts show: what the page's address says.

In: the address's parameters. Out: a `Span`. Called by the robot's page and its API. Pure.
"""

from datetime import UTC, datetime, timedelta

import msgspec

from schemas.errors import SettingError

RANGES = {
    "1h": timedelta(hours=1),
    "24h": timedelta(days=1),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
    "1y": timedelta(days=365),
}
USUAL = "24h"


class Span(msgspec.Struct, frozen=True):
    """`name`: the range that ends now; empty where both ends were chosen."""

    start: datetime
    end: datetime
    name: str


def span_of(name: str | None, start: datetime | None, end: datetime | None, now: datetime) -> Span:
    """Two ends, or else a range that ends now. Raises SettingError for what is neither."""
    if start is None and end is None:
        return _named(name or USUAL, now)
    if start is None or end is None:
        raise SettingError("a stretch of time has two ends: from and to")
    if start.tzinfo is None or end.tzinfo is None:
        raise SettingError("from and to need a time zone, as in 2026-05-22T08:00:00Z")
    if start >= end:
        raise SettingError("from must be before to")
    return Span(start.astimezone(UTC), end.astimezone(UTC), "")


def _named(name: str, now: datetime) -> Span:
    if name not in RANGES:
        raise SettingError(f"no range {name!r}; there are {', '.join(RANGES)}")
    return Span(now - RANGES[name], now, name)
