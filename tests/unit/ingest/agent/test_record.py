"""A frame and its check sum."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.agent.record import Spooled, from_row, to_row

_FRAME = Spooled(7, 2**53 - 1, 3, 1_760_000_000_000_000, b"some bytes")


def test_a_row_is_the_frame_again() -> None:
    assert from_row(to_row(_FRAME)) == _FRAME


@given(st.integers(0, 5), st.integers(0, 62))
def test_a_flipped_bit_in_any_column_is_noticed(column: int, bit: int) -> None:
    row = list(to_row(_FRAME))
    if column == 5:
        value = bytearray(row[5])
        value[bit % len(value)] ^= 1 << bit % 8
        row[5] = bytes(value)
    else:
        row[column] ^= 1 << bit
    assert from_row(tuple(row)) is None


@pytest.mark.parametrize("wrong", [None, "text", -1, 1.5, b"x"])
@pytest.mark.parametrize("column", range(6))
def test_what_a_wiped_page_gives_in_place_of_a_number_is_noticed(column: int, wrong: object) -> None:
    row = list(to_row(_FRAME))
    row[column] = wrong
    assert from_row(tuple(row)) is None
