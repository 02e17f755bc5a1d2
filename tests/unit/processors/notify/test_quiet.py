"""Quiet hours, over midnight and over changes of the clocks."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from processors.notify.quiet import Quiet, quiet_until_us

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = Quiet(start=time(22), end=time(6), zone=BERLIN)
NOON = Quiet(start=time(12), end=time(13), zone=BERLIN)


def us(year: int, month: int, day: int, hour: int, minute: int = 0, zone: ZoneInfo = BERLIN) -> int:
    return int(datetime(year, month, day, hour, minute, tzinfo=zone).astimezone(UTC).timestamp()) * 1_000_000


@pytest.mark.parametrize(
    ("quiet", "now_us", "until_us"),
    [
        (NIGHT, us(2026, 11, 24, 21, 59), None),
        (NIGHT, us(2026, 11, 24, 22), us(2026, 11, 25, 6)),
        (NIGHT, us(2026, 11, 25, 3), us(2026, 11, 25, 6)),
        (NIGHT, us(2026, 11, 25, 6), None),
        (NOON, us(2026, 11, 24, 12, 30), us(2026, 11, 24, 13)),
        (NOON, us(2026, 11, 24, 13), None),
        # The clocks go forward on 29 March 2026, and back on 25 October: the nights are 7 h and 9 h long.
        (NIGHT, us(2026, 3, 28, 22), us(2026, 3, 28, 22) + 7 * 3_600_000_000),
        (NIGHT, us(2026, 10, 24, 22), us(2026, 10, 24, 22) + 9 * 3_600_000_000),
    ],
)
def test_quiet_hours_end_by_the_clock_of_the_place(quiet: Quiet, now_us: int, until_us: int | None) -> None:
    assert quiet_until_us(quiet, now_us) == until_us


def test_a_night_belongs_to_the_day_on_which_it_begins() -> None:
    friday = Quiet(start=time(22), end=time(6), zone=BERLIN, days=frozenset({4}))
    assert quiet_until_us(friday, us(2026, 11, 28, 3)) == us(2026, 11, 28, 6), "Saturday morning"
    assert quiet_until_us(friday, us(2026, 11, 27, 3)) is None, "Friday morning"


def test_without_hours_it_is_never_quiet() -> None:
    assert quiet_until_us(None, us(2026, 11, 24, 23)) is None
