"""Rows as CSV that a spreadsheet opens without harm. Pure.

In: rows of a table. Out: UTF-8 with a head line. Times are ISO 8601 in UTC, what is absent is empty, joints'
readings are a JSON list. A text that a robot or a person wrote could begin as a formula does: it gets an apostrophe
before it.
"""

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

FORMULA = ("=", "+", "-", "@", "\t", "\r")


class CsvFile:
    """Pieces of a file, in their order."""

    def begin(self, columns: Sequence[tuple[str, str]]) -> bytes:
        """The head."""
        return _lines([[name for name, _ in columns]])

    def add(self, rows: Sequence[Any]) -> bytes:
        """Some rows."""
        return _lines([[cell(value) for value in row] for row in rows])

    def end(self) -> bytes:
        """Nothing more."""
        return b""


def cell(value: Any) -> str:
    """How a value stands in its cell."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str():
            return f"'{value}" if value.startswith(FORMULA) else value
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case list() | dict():
            return msgspec.json.encode(value).decode()
    return str(value)


def _lines(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()
