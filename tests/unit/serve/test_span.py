"""A stretch of time from an address."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from schemas.errors import SettingError
from serve.span import Span, span_of

NOW = datetime(2026, 5, 22, 12, tzinfo=UTC)
EARLIER = datetime(2026, 5, 20, 12, tzinfo=UTC)


def test_nothing_said_is_a_day_that_ends_now() -> None:
    assert span_of(None, None, None, NOW) == Span(NOW - timedelta(days=1), NOW, "24h")


def test_a_range_ends_now() -> None:
    assert span_of("7d", None, None, NOW) == Span(NOW - timedelta(days=7), NOW, "7d")


def test_two_ends_go_before_a_range() -> None:
    assert span_of("7d", EARLIER, NOW, NOW) == Span(EARLIER, NOW, "")


def test_ends_in_another_zone_are_the_same_moments_in_utc() -> None:
    start = datetime(2026, 5, 20, 14, tzinfo=timezone(timedelta(hours=2)))
    span = span_of(None, start, NOW, NOW)
    assert (span.start, span.start.tzinfo) == (EARLIER, UTC)


@pytest.mark.parametrize(
    ("name", "start", "end", "told"),
    [
        ("2w", None, None, "no range '2w'"),
        (None, EARLIER, None, "two ends"),
        (None, None, NOW, "two ends"),
        (None, NOW, EARLIER, "before"),
        (None, NOW, NOW, "before"),
        (None, datetime(2026, 5, 20, 12), NOW, "time zone"),  # noqa: DTZ001
    ],
)
def test_what_is_no_stretch_is_refused(
    name: str | None, start: datetime | None, end: datetime | None, told: str
) -> None:
    with pytest.raises(SettingError, match=told):
        span_of(name, start, end, NOW)
