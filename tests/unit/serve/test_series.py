"""Where a chart's points come from, how wide they are, and where a line breaks."""

from datetime import timedelta

import pytest

from serve.series import POINTS_AT_MOST, Resolution, _with_gaps, finest_first, step_of

HOUR = timedelta(hours=1)
S = 1_000_000


def _rows(*firsts: int) -> list[dict[str, int]]:
    return [{"time_us": at * S, "first_us": at * S, "last_us": at * S, "frames": 1} for at in firsts]


@pytest.mark.parametrize(
    ("width", "finest"),
    [
        (timedelta(seconds=1), Resolution.RAW),
        (HOUR, Resolution.RAW),
        (HOUR + timedelta(seconds=1), Resolution.VITALS),
        (48 * HOUR, Resolution.VITALS),
        (49 * HOUR, Resolution.HOURLY),
        (timedelta(days=3650), Resolution.HOURLY),
    ],
)
def test_the_width_of_the_range_says_where_from_and_what_is_coarser_comes_after(width, finest):
    assert finest_first(width) == list(Resolution)[list(Resolution).index(finest) :]


@pytest.mark.parametrize("points", [1, 100, 1000, POINTS_AT_MOST])
@pytest.mark.parametrize("width", [timedelta(seconds=3), HOUR, 24 * HOUR, 24 * 365 * HOUR])
def test_a_step_is_wide_enough_for_so_many_points_and_not_three_times_as_wide(width, points):
    step = step_of(width, points)
    assert points * step >= width
    assert points * step < 6 * width or step == timedelta(seconds=0.01)


def test_a_line_breaks_where_two_in_a_row_are_missing_and_not_for_one():
    assert [row["frames"] for row in _with_gaps(_rows(0, 1, 2, 4, 5), Resolution.RAW, S)] == [1] * 5
    broken = _with_gaps(_rows(0, 1, 2, 5, 6), Resolution.RAW, S)
    assert [row["frames"] for row in broken] == [1, 1, 1, 0, 1, 1]
    assert broken[3]["time_us"] == 3 * S


def test_a_line_of_hours_breaks_for_every_hour_that_is_missing():
    rows = _rows(0, 3600, 10_800)
    assert [row["frames"] for row in _with_gaps(rows, Resolution.HOURLY, 3600 * S)] == [1, 1, 0, 1]


def test_nothing_and_a_single_point_have_no_gaps():
    assert _with_gaps([], Resolution.RAW, S) == []
    assert len(_with_gaps(_rows(7), Resolution.VITALS, S)) == 1
