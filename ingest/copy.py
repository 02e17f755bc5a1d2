"""Columns to PostgreSQL's binary COPY format, by numpy. Pure.

In: the cells of n rows, a column each. Out: the bytes of those rows. `ingest/rows.py` makes the cells,
`ingest/landing.py` sends the bytes.

Rows whose columns have the same forms have the same byte layout, so they are one matrix of bytes and each column
is written into it by one assignment. What is NULL has no payload in this format: a row that holds one is written
like the others, and a mask then takes the payload out. Nothing here runs once a reading or once a row.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.columns import Float32

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)  # signature, no flags, no header extension
TRAILER = b"\xff\xff"

# Rows are worked on in blocks that stay in the processor's cache: a third of the time where there are NULLs.
BLOCK_BYTES = 1024 * 1024

_FLOAT4_OID = 700
_ARRAY_HEADER_BYTES = 20
_ELEMENT_BYTES = 8

Bytes = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Selection = NDArray[np.int64] | slice


@dataclass(frozen=True, slots=True)
class Integers:
    """bigint, integer, smallint or boolean by the width of `values`; `absent` marks what is NULL."""

    values: NDArray[Any]
    absent: Mask | None = None

    def at(self, rows: Selection) -> "Integers":
        return Integers(self.values[rows], None if self.absent is None else self.absent[rows])


@dataclass(frozen=True, slots=True)
class Text:
    """UTF-8, rows × bytes: all rows of a group have the same length."""

    values: Bytes

    def at(self, rows: Selection) -> "Text":
        return Text(self.values[rows])


@dataclass(frozen=True, slots=True)
class Reals:
    """real: one value a row; NaN is NULL."""

    values: Float32

    def at(self, rows: Selection) -> "Reals":
        return Reals(self.values[rows])


@dataclass(frozen=True, slots=True)
class RealArrays:
    """real[]: rows × elements; NaN is a NULL element."""

    values: Float32

    def at(self, rows: Selection) -> "RealArrays":
        return RealArrays(self.values[rows])


@dataclass(frozen=True, slots=True)
class Nulls:
    """NULL in every row."""

    def at(self, rows: Selection) -> "Nulls":
        return self


Cell = Integers | Text | Reals | RealArrays | Nulls


@dataclass(frozen=True, slots=True)
class _Column:
    """A cell on its way into the rows: its form, its payload, and where that is absent (None: nowhere)."""

    form: str
    payload: NDArray[Any]
    absent: Mask | None


def encode_rows(cells: Iterable[Cell], count: int) -> list[memoryview]:
    """`count` rows with their columns in the order of `cells`, in blocks. Their order is not kept."""
    columns = [_column(cell) for cell in cells]
    kind, template = _row_format(tuple(column.form for column in columns))
    step = max(1, BLOCK_BYTES // kind.itemsize)
    blocks: list[memoryview] = []
    for start in range(0, count, step):
        blocks += _block(columns, kind, template, start, min(step, count - start))
    return blocks


def _column(cell: Cell) -> _Column:
    nothing = np.empty(0, np.uint8)
    match cell:
        case Nulls():
            return _Column("n", nothing, None)
        case Text(values):
            return _Column(f"t{values.shape[1]}", values, None)
        case Integers(values, absent):
            form, payload = f"i{values.dtype.itemsize}", values
        case Reals(reals):
            form, payload, absent = "i4", reals.view(np.int32), np.isnan(reals)
        case RealArrays(reals):
            form, payload, absent = f"a{reals.shape[1]}", reals.view(np.int32), np.isnan(reals)
    if absent is None or not absent.any():
        return _Column(form, payload, None)
    if form[0] == "i" and absent.all():
        return _Column("n", nothing, None)
    return _Column(form, payload, absent)


def _block(
    columns: list[_Column], kind: np.dtype[Any], template: Bytes, start: int, count: int
) -> list[memoryview]:
    """One block of rows: those without a NULL as they are, those with one as `_without` leaves them."""
    rows = np.empty((count, kind.itemsize), np.uint8)
    rows[:] = template
    record = rows.view(kind)[:, 0]
    holes: dict[str, Mask] = {}
    holed = np.zeros(count, bool)
    for at, column in enumerate(columns):
        if column.form == "n":
            continue
        _payload(record[f"{at}"])[...] = column.payload[start : start + count]
        if column.absent is not None:
            absent = column.absent[start : start + count]
            holes[f"{at}"] = absent
            holed |= absent if absent.ndim == 1 else absent.any(axis=1)
    if not holed.any():
        return [_flat(rows)]
    cut = _without(rows[holed], kind, {name: absent[holed] for name, absent in holes.items()})
    return [_flat(cut)] if holed.all() else [_flat(rows[~holed]), _flat(cut)]


def _without(rows: Bytes, kind: np.dtype[Any], holes: dict[str, Mask]) -> Bytes:
    """Write NULL where a row has nothing, and take the payloads of those places out."""
    kept = np.ones(rows.shape, np.uint8)
    record, mask = rows.view(kind)[:, 0], kept.view(kind)[:, 0]
    for name, absent in holes.items():
        cell = record[name]
        np.copyto(_lengths(cell), -1, where=absent)
        np.copyto(_payload(mask[name]), 0, where=absent)
        if _is_array(cell):
            missing = absent.sum(axis=1)
            cell["nulls"] = missing > 0
            cell["length"] -= 4 * missing
    cut: Bytes = rows[kept.view(bool)]
    return cut


@lru_cache(maxsize=1024)
def _row_format(forms: tuple[str, ...]) -> tuple[np.dtype[Any], Bytes]:
    """The byte layout of a row whose columns have these forms, and one such row with its payloads at nought.

    A form is a letter and a width in bytes or elements: `i8` integer or real, `t29` text, `a29` real[], `n` NULL.
    """
    kind = np.dtype([("columns", ">i2"), *((f"{at}", _cell_kind(form)) for at, form in enumerate(forms))])
    row = np.zeros(1, kind)
    row["columns"] = len(forms)
    for at, form in enumerate(forms):
        cell, width = row[f"{at}"], int(form[1:] or 0)
        if form[0] == "a":
            cell["length"] = _ARRAY_HEADER_BYTES + _ELEMENT_BYTES * width
            cell["dimensions"], cell["type"], cell["size"], cell["lower_bound"] = 1, _FLOAT4_OID, width, 1
            cell["elements"]["length"] = 4
        else:
            cell["length"] = -1 if form == "n" else width
    template: Bytes = row.view(np.uint8)
    return kind, template


def _cell_kind(form: str) -> np.dtype[Any]:
    width = int(form[1:] or 0)
    match form[0]:
        case "i":
            return np.dtype([("length", ">i4"), ("payload", f">i{width}")])
        case "t":
            return np.dtype([("length", ">i4"), ("payload", "u1", (width,))])
        case "a":
            header = [(name, ">i4") for name in ("length", "dimensions", "nulls", "type", "size", "lower_bound")]
            return np.dtype([*header, ("elements", [("length", ">i4"), ("payload", ">i4")], (width,))])
    return np.dtype([("length", ">i4")])


def _is_array(cell: NDArray[Any]) -> bool:
    return "elements" in (cell.dtype.names or ())


def _payload(cell: NDArray[Any]) -> NDArray[Any]:
    return cell["elements"]["payload"] if _is_array(cell) else cell["payload"]


def _lengths(cell: NDArray[Any]) -> NDArray[Any]:
    return cell["elements"]["length"] if _is_array(cell) else cell["length"]


def _flat(rows: Bytes) -> memoryview:
    return rows.reshape(-1).data
