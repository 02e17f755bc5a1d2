"""A CSV file as lines of clean cells, and how its header answers to a mapping.

In: a path. Out: line numbers with cells stripped of blanks and quotes; a SettingError where the file cannot be
read or its header does not fit. Called by `ingest/sessions.py` and `ingest/recorded_rows.py`.
"""

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ingest.mapping import Source
from schemas.errors import SettingError

Line = tuple[int, list[str] | str]  # the line's number, and its cells or why it cannot be read


def read_table(path: Path) -> Iterator[Line]:
    """The lines that are not empty, the header first. A byte that is not UTF-8 spoils its own cell only."""
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            yield from _lines(csv.reader(file))
    except OSError as error:
        raise SettingError(f"{path}: {error.strerror}") from None


def _lines(reader: Any) -> Iterator[Line]:
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield reader.line_num, str(error)
            continue
        if cells:
            yield reader.line_num, [cell.strip(' \t"') for cell in cells]


def header_of(path: Path, lines: Iterator[Line]) -> list[str]:
    """Take the header off `lines`."""
    header = next(lines, (0, "is empty"))[1]
    if isinstance(header, str):
        raise SettingError(f"{path}: {header}; a table with a header is needed")
    for name in header:
        if header.count(name) > 1:
            raise SettingError(f"{path}: two columns are named {name!r}")
    return header


def checked_header(path: Path, header: list[str], source: Source, robot_names: Iterable[str]) -> dict[str, int]:
    """Each column's place. A column that the mapping neither uses nor leaves out is an error, as is one missing."""
    wanted = [source.time.column] if source.time.column else []
    wanted += list(source.columns) + [name for name in robot_names if name not in source.placeholders]
    missing = [name for name in wanted if name not in header]
    if missing:
        raise SettingError(f"{path}: no column {missing[0]!r}, which the mapping uses; it has {', '.join(header)}")
    unknown = [name for name in header if name not in wanted and name not in source.left_out]
    if unknown:
        raise SettingError(
            f"{path}: column {unknown[0]!r} is neither mapped nor left out: name it in source.columns, or in "
            "source.left_out with the reason"
        )
    return {name: place for place, name in enumerate(header)}
