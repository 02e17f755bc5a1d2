"""Words that the terminal shows."""

from datetime import UTC, datetime, timedelta

import pytest

from deploy.text import STATUS_STYLE, age, since
from schemas.health import Status

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.44, "0.4 s"),
        (12, "12 s"),
        (252, "4 m 12 s"),
        (3600, "1 h 0 m"),
        (11_100, "3 h 5 m"),
        (1_051_200, "12 d 4 h"),
    ],
)
def test_a_duration_is_said_in_its_two_largest_units(seconds, said):
    assert age(seconds) == said


def test_a_time_ahead_of_us_is_said_to_be_ahead():
    assert since(NOW + timedelta(hours=1), NOW) == "1 h 0 m ahead"


def test_what_was_never_seen_is_said_so():
    assert since(None, NOW) == "never"


def test_every_status_has_a_style():
    assert set(STATUS_STYLE) == set(Status)
