"""Rows as CSV: what a spreadsheet makes of them, and that no text of a robot becomes a formula."""

import csv
import io
from datetime import UTC, datetime, timedelta, timezone

import pytest

from serve.export_csv import CsvFile, cell


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "=cmd|' /C calc'!A0"])
def test_a_text_that_begins_as_a_formula_is_defused(text: str):
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, ""),
        (-1.5, "-1.5"),
        (7, "7"),
        (True, "true"),
        (False, "false"),
        ("a=b", "a=b"),
        ("", ""),
        ([-1.5, None], "[-1.5,null]"),
        ([{"status": "=x"}], '[{"status":"=x"}]'),
        (datetime(2026, 11, 24, 12, tzinfo=UTC), "2026-11-24T12:00:00Z"),
        (datetime(2026, 11, 24, 12, tzinfo=timezone(timedelta(hours=2))), "2026-11-24T10:00:00Z"),
    ],
)
def test_a_value_stands_in_its_cell(value: object, expected: str):
    assert cell(value) == expected


def test_a_file_reads_back_whatever_its_texts_hold():
    file = CsvFile()
    texts = ['a,"b"', "line\nbreak", "é", "'"]
    content = file.begin([("one", "text"), ("two", "text")])
    content += file.add([texts[:2]]) + file.add([texts[2:]]) + file.end()
    rows = list(csv.reader(io.StringIO(content.decode(), newline="")))
    assert rows == [["one", "two"], texts[:2], texts[2:]]
