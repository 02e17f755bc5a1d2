"""Hours become intervals of one scenario: whatever the counter does, no second is invented."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from schemas.columns import ABSENT, Texts
from schemas.usage import GAP_S, HOUR_S, HOUR_US, Gap, Hours, usage

START_US = 1_760_004_000_000_000
DAY = 24
Told = tuple[int, str, int | None, float | None]


def hours(told: list[Told]) -> Hours:
    """Each by its number since the start: scenario, counter, load."""
    return Hours(
        np.array([START_US + hour * HOUR_US for hour, *_ in told], np.int64),
        np.array([ABSENT if runtime is None else runtime for *_, runtime, _ in told], np.int64),
        Texts.of([scenario for _, scenario, *_ in told]),
        np.array([np.nan if load is None else load for *_, load in told], np.float64),
    )


def of(*told: Told) -> list[tuple[str, int, int, int]]:
    """Scenario, first and last hour, operating time."""
    return [
        (one.scenario, (one.from_us - START_US) // HOUR_US, (one.until_us - START_US) // HOUR_US - 1, one.used_s)
        for one in usage(hours(list(told))).used
    ]


def test_hours_of_one_scenario_are_one_interval_with_what_the_counter_gained():
    told = [(0, "line", 100, None), (1, "line", 3700, None), (2, "class", 5000, None), (3, "class", 5600, None)]
    assert of(*told) == [("line", 0, 1, 3600), ("class", 2, 3, 1900)]


def test_nothing_heard_is_no_use():
    assert usage(hours([])).used == ()


def test_a_counter_that_falls_counts_what_it_shows_anew_where_that_fits():
    assert of((0, "line", 90_000, None), (1, "line", 1200, None), (2, "line", 2000, None)) == [("line", 0, 2, 2000)]
    assert of((0, "line", 90_000, None), (1, "line", 50_000, None), (2, "line", 51_000, None))[0][3] == 1000


def test_a_gain_beyond_the_time_that_passed_is_cut_to_it():
    assert of((0, "line", 0, None), (1, "line", 900_000, None))[0][3] == HOUR_S


def test_hours_that_do_not_tell_the_counter_lose_none_of_it():
    assert of((0, "line", 0, None), (1, "line", None, None), (2, "line", 6000, None))[0][3] == 6000


def test_what_was_gained_while_nothing_was_told_is_kept_apart():
    (one,) = usage(hours([(0, "line", 0, None), (DAY, "line", 40_000, None)])).used
    assert (one.used_s, one.unlogged_s, one.hours) == (HOUR_S, 40_000 - HOUR_S, 2)


def test_a_long_silence_is_a_gap_and_what_was_gained_across_it_is_nobodys():
    long = GAP_S // HOUR_S + 2
    found = usage(hours([(0, "line", 0, None), (long, "line", 9000, None), (long + 1, "line", 9600, None)]))
    assert found.gaps == (
        Gap(from_us=START_US + HOUR_US, until_us=START_US + long * HOUR_US, unlogged_s=9000 - HOUR_S),
    )
    assert [(one.used_s, one.unlogged_s) for one in found.used] == [(0, 0), (HOUR_S + 600, 0)]


def test_load_is_against_the_robots_own_median_working_hour():
    told = [
        (hour, "line" if hour < 3 else "class", hour * HOUR_S, load) for hour, load in enumerate([1, 2, 2, 4, 4])
    ]
    line, taught = usage(hours(told)).used
    assert (line.load, taught.load) == (0.667, 1.333)
    assert [one.load for one in usage(hours([(0, "a", 0, None), (1, "a", 3600, None)])).used] == [None]


COUNTER = st.none() | st.integers(0, 10**6)
LOAD = st.none() | st.floats(0, 100, width=32)  # as the database keeps it
TOLD = st.lists(
    st.tuples(st.integers(0, 2000), st.sampled_from(["", "line", "class"]), COUNTER, LOAD),
    max_size=60,
    unique_by=lambda told: told[0],
).map(lambda told: sorted(told, key=lambda one: one[0]))


@given(TOLD)
def test_no_robot_was_used_longer_than_time_passed_and_intervals_and_gaps_never_overlap(told):
    found = usage(hours(told))
    assert all(one.used_s >= 0 and one.unlogged_s >= 0 for one in found.used)
    assert sum(one.used_s for one in found.used) <= len(told) * HOUR_S
    spans = sorted([(one.from_us, one.until_us) for one in (*found.used, *found.gaps)])
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
    assert sum(one.hours for one in found.used) == len(told)
    if told:
        whole_s = (told[-1][0] - told[0][0]) * HOUR_S
        gained = [one.used_s + one.unlogged_s for one in found.used] + [gap.unlogged_s for gap in found.gaps]
        assert sum(gained) <= whole_s


@given(TOLD)
def test_a_counter_that_never_falls_and_never_races_is_accounted_for_to_the_second(told):
    even = [(hour, scenario, hour * 1800, load) for hour, scenario, _, load in told]
    found = usage(hours(even))
    gained = [one.used_s + one.unlogged_s for one in found.used] + [gap.unlogged_s for gap in found.gaps]
    assert sum(gained) == (even[-1][2] - even[0][2] if even else 0)
