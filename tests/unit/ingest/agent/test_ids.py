"""A set of ids as ranges."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ingest.agent.ids import IdRanges


def _of(numbers: list[int]) -> IdRanges:
    ranges = IdRanges()
    for number in numbers:
        ranges.add(number)
    return ranges


def test_ids_in_a_row_are_one_range() -> None:
    assert list(_of(list(range(5, 100)))) == [(5, 99)]


def test_an_id_that_closes_a_gap_joins_its_neighbours() -> None:
    assert list(_of([1, 2, 4, 5, 3])) == [(1, 5)]


@given(st.lists(st.integers(0, 40)))
def test_it_holds_what_a_set_holds_in_ranges_that_do_not_touch(numbers: list[int]) -> None:
    ranges = _of(numbers)
    assert {n for n in range(-1, 42) if n in ranges} == set(numbers)
    assert len(ranges) == len(set(numbers))
    pairs = list(ranges)
    assert [n for first, last in pairs for n in range(first, last + 1)] == sorted(set(numbers))
    assert all(before[1] + 1 < after[0] for before, after in pairwise(pairs))


def test_cleared_it_is_empty_and_of_use_again() -> None:
    ranges = _of([1, 2, 9])
    ranges.clear()
    assert not ranges
    ranges.add(2)
    assert list(ranges) == [(2, 2)]
