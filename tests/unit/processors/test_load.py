"""What the alarms ask of an operator."""

from hypothesis import given
from hypothesis import strategies as st

from processors.load import WINDOW_US, Load, step


def test_a_flood_begins_above_ten_calls_in_ten_minutes_and_ends_below_five() -> None:
    ten = step(Load(), range(10), 10)
    eleven = step(ten, [11], 11)
    five = step(eleven, [], WINDOW_US + 6 - 1)
    four = step(five, [], WINDOW_US + 7)
    assert [load.flood for load in (ten, eleven, five, four)] == [False, True, True, False]
    assert [len(load.calls) for load in (five, four)] == [5, 3]
    assert four.flood_us == WINDOW_US + 7 - 11


def test_time_does_not_go_back() -> None:
    assert step(Load(now_us=50), [40], 20).now_us == 50


@given(st.lists(st.integers(0, 10 * WINDOW_US), max_size=60))
def test_time_in_flood_is_never_more_than_the_time(moments: list[int]) -> None:
    load = Load(now_us=0)
    for moment_us in sorted(moments):
        load = step(load, [moment_us] * 3, moment_us)
    assert 0 <= load.flood_us <= load.now_us
