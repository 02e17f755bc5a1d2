"""What the encoder writes, an independent reader reads back: every value, and every NULL."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.copy import BLOCK_BYTES, HEADER, Cell, Integers, Nulls, RealArrays, Reals, Text, encode_rows
from support import pgcopy

READ = {"i": pgcopy.integer, "r": pgcopy.real, "a": pgcopy.real_array, "t": lambda field: field}
INTEGERS = {"i1": np.int8, "i2": np.int16, "i4": np.int32, "i8": np.int64}


def _read(cells: list[Cell], count: int, kinds: list[str]) -> list[tuple]:
    """Rows as Python values. The first column numbers them, since their order is not kept."""
    rows = pgcopy.read_rows(encode_rows([Integers(np.arange(count)), *cells], count))
    values = [
        (pgcopy.integer(row[0]), *(READ[k[0]](field) for k, field in zip(kinds, row[1:], strict=True)))
        for row in rows
    ]
    return [row[1:] for row in sorted(values)]


def _none(values: list[float]) -> list[float | None]:
    return [None if v != v else v for v in values]


@st.composite
def _column(draw: st.DrawFn, count: int) -> tuple[str, Cell, list]:
    """A column's kind, its cell, and the values that should be read back."""
    kind = draw(st.sampled_from([*INTEGERS, "r", "a", "t", "n"]))
    floats = st.floats(width=32, allow_nan=True)
    if kind == "r":
        values = draw(st.lists(floats, min_size=count, max_size=count))
        return kind, Reals(np.array(values, np.float32)), _none(values)
    if kind == "a":
        width = draw(st.integers(1, 5))
        rows = draw(st.lists(st.lists(floats, min_size=width, max_size=width), min_size=count, max_size=count))
        return kind, RealArrays(np.array(rows, np.float32).reshape(count, width)), [_none(row) for row in rows]
    if kind == "t":
        width = draw(st.integers(0, 6))
        texts = draw(st.lists(st.binary(min_size=width, max_size=width), min_size=count, max_size=count))
        return kind, Text(np.frombuffer(b"".join(texts), np.uint8).reshape(count, width)), texts
    if kind == "n":
        return "t", Nulls(), [None] * count
    bounds = np.iinfo(INTEGERS[kind])
    numbers = draw(st.lists(st.integers(int(bounds.min), int(bounds.max)), min_size=count, max_size=count))
    absent = np.array(draw(st.lists(st.booleans(), min_size=count, max_size=count)), bool)
    expected = [None if gone else number for gone, number in zip(absent, numbers, strict=True)]
    return kind, Integers(np.array(numbers, INTEGERS[kind]), absent), expected


@st.composite
def _table(draw: st.DrawFn) -> tuple[int, list[tuple[str, Cell, list]]]:
    count = draw(st.integers(1, 6))
    return count, draw(st.lists(_column(count), min_size=1, max_size=6))


@given(_table())
def test_every_value_and_every_null_is_read_back(table: tuple[int, list[tuple[str, Cell, list]]]):
    count, columns = table
    expected = list(zip(*(values for _, _, values in columns), strict=True))
    assert _read([cell for _, cell, _ in columns], count, [kind for kind, _, _ in columns]) == expected


def test_columns_may_be_slices_of_a_larger_matrix():
    values = np.arange(12, dtype=np.float32).reshape(3, 4)
    values[1, 1] = np.nan
    cells = [RealArrays(values[:, 1:3]), Reals(values[:, 0])]
    assert _read(cells, 3, ["a", "r"]) == [([1, 2], 0), ([None, 6], 4), ([9, 10], 8)]


@pytest.mark.parametrize("gone", [[], [5], [0, -1], None], ids=["none", "one", "at the ends", "every"])
def test_rows_beyond_one_block_are_all_written_once(gone: list[int] | None):
    count = 3 * BLOCK_BYTES // 100
    values = np.arange(count * 10, dtype=np.float32).reshape(count, 10)
    values[slice(None) if gone is None else gone, 3] = np.nan
    blocks = encode_rows([Integers(np.arange(count)), RealArrays(values)], count)
    assert len(blocks) > 1
    rows = sorted((pgcopy.integer(a), pgcopy.real_array(b)) for a, b in pgcopy.read_rows(blocks))
    assert rows == [(i, _none(row)) for i, row in enumerate(values.tolist())]


def test_no_rows_are_no_bytes():
    assert encode_rows([Integers(np.empty(0, np.int64)), Reals(np.empty(0, np.float32))], 0) == []


def test_the_header_is_the_documented_one():
    assert HEADER == pgcopy.SIGNATURE + b"\0\0\0\0" + b"\0\0\0\0"
