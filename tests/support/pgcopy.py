"""A small reader of PostgreSQL's binary COPY format, written from its documentation and not from our encoder."""

import struct
from collections.abc import Iterable
from typing import Any

SIGNATURE = b"PGCOPY\n\xff\r\n\0"


def read_rows(blocks: Iterable[memoryview]) -> list[list[bytes | None]]:
    """The fields of every row of blocks without header and trailer; None is NULL."""
    data, at = b"".join(blocks), 0
    rows: list[list[bytes | None]] = []
    while at < len(data):
        (count,) = struct.unpack_from(">h", data, at)
        at += 2
        row: list[bytes | None] = []
        for _ in range(count):
            (length,) = struct.unpack_from(">i", data, at)
            at += 4
            row.append(None if length == -1 else data[at : at + length])
            at += max(length, 0)
        assert at <= len(data)
        rows.append(row)
    return rows


def integer(field: bytes | None) -> int | None:
    """bigint, integer, smallint or boolean."""
    return None if field is None else int.from_bytes(field, "big", signed=True)


def real(field: bytes | None) -> float | None:
    """real."""
    return None if field is None else struct.unpack(">f", field)[0]


def real_array(field: bytes | None) -> list[float | None] | None:
    """real[] of one dimension."""
    if field is None:
        return None
    dimensions, nulls, oid, size, lower = struct.unpack_from(">iiIii", field)
    assert (dimensions, oid, lower) == (1, 700, 1)
    at = 20
    elements: list[Any] = []
    for _ in range(size):
        (length,) = struct.unpack_from(">i", field, at)
        at += 4
        elements.append(None if length == -1 else struct.unpack_from(">f", field, at)[0])
        at += max(length, 0)
    assert at == len(field)
    assert nulls == (None in elements)
    return elements
