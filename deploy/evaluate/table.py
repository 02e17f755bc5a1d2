"""A CSV file of anybody's, as blocks of rows.

In: a path and the names of its columns. Out: `Block`s in the file's order, one at a time: however large the file,
one block is in memory. Called by `deploy/evaluate/csv_file.py`. What is wrong with the file or a name is a
SettingError that says where.
"""

import codecs
import csv
import difflib
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from deploy.evaluate.cells import BLANKS, Numbers, read_labels
from deploy.evaluate.times import FORMS, Reader, reader_of
from schemas.errors import SettingError

if TYPE_CHECKING:
    from _csv import Reader as CsvReader

SEPARATORS = (";", "\t", ",")
ROWS = 4096
SAMPLE_BYTES = 1 << 16
# A cell is kept whole while its row is: one stray quote may make the rest of a file one cell.
MOST_CHARACTERS = 1 << 20


@dataclass(frozen=True, slots=True)
class Names:
    """The columns that are asked for."""

    time: str
    values: tuple[str, ...]
    label: str | None = None

    @property
    def all(self) -> tuple[str, ...]:
        return (self.time, *self.values, *([self.label] if self.label is not None else []))


@dataclass(frozen=True, slots=True)
class Block:
    """Rows as they follow in the file. `times` as written; `values` rows × columns; `labels` -1 where blank."""

    times: Sequence[str]
    time_us: NDArray[np.int64]
    values: NDArray[np.float64]
    labels: NDArray[np.int8] | None


@contextmanager
def open_table(path: Path, names: Names) -> "Iterator[Table]":
    """The file's rows, to be read once. Raises SettingError, and OSError for a file that cannot be opened."""
    with path.open("rb") as file:
        sample = file.read(SAMPLE_BYTES)
        file.seek(0)
        with io.TextIOWrapper(file, _encoding(sample), errors="surrogateescape", newline="") as text:
            lines = sample.decode(text.encoding, "replace").splitlines()
            if not any(line.strip() for line in lines):
                raise SettingError(f"{path}: the file is empty")
            yield Table(csv.reader(text, delimiter=_separator(lines, names.all)), file.tell, path, names)


class Table:
    """`position` tells the bytes read so far."""

    def __init__(self, rows: "CsvReader", position: Callable[[], int], path: Path, names: Names) -> None:
        csv.field_size_limit(MOST_CHARACTERS)
        self._rows, self._path, self._names, self.position = rows, path, names, position
        header = [cell.strip() for cell in next(row for row in rows if row)]
        self._places = [_place(name, header, path) for name in names.all]
        self.numbers = {name: Numbers(rows.dialect.delimiter != ",") for name in names.values}
        self._read_time: Reader | None = None
        self._last_us = 0
        self.blank_times = 0

    def blocks(self) -> Iterator[Block]:
        """All rows, blank lines left out. Raises SettingError."""
        rows = (row for row in self._rows if row)
        while True:
            first_line = self._rows.line_num + 1
            try:
                taken = list(islice(rows, ROWS))
            except csv.Error as error:
                raise SettingError(f"{self._path}: line {self._rows.line_num}: {error}") from None
            if not taken:
                return
            yield self._block(taken, first_line)

    def _block(self, rows: list[list[str]], first_line: int) -> Block:
        widest = max(self._places) + 1
        if min(map(len, rows)) < widest:
            rows = [row + [""] * (widest - len(row)) for row in rows]
        cells = list(zip(*rows, strict=False)) if len({*map(len, rows)}) == 1 else None
        columns = [cells[place] if cells else tuple(row[place] for row in rows) for place in self._places]
        times, labels = columns[0], None
        values = [
            self.numbers[name].read(texts, first_line)
            for name, texts in zip(self._names.values, columns[1:], strict=False)
        ]
        if self._names.label is not None:
            labels = self._labels(columns[-1], first_line)
        return Block(times, self._times(times, first_line), np.stack(values, axis=1), labels)

    def _labels(self, texts: Sequence[str], first_line: int) -> NDArray[np.int8]:
        try:
            return read_labels(texts)
        except KeyError as error:
            wrong = error.args[0]
            line = first_line + next(at for at, text in enumerate(texts) if text.strip().lower() == wrong)
            raise SettingError(
                f"{self._path}: line {line}, column {self._names.label!r}: {wrong!r} is not a label: give 0 or 1, "
                "true or false, or nothing where nobody knows"
            ) from None

    def _times(self, texts: Sequence[str], first_line: int) -> NDArray[np.int64]:
        """A row without a time has that of the row before it."""
        try:
            if self._read_time is None:
                self._read_time = reader_of(texts, first_line, self._names.time)
        except SettingError as error:
            raise SettingError(f"{self._path}: {error}") from None
        read, times = self._read_time, np.empty(len(texts), np.int64)
        for at, text in enumerate(texts):
            try:
                times[at] = self._last_us = read(text)
            except (ValueError, OverflowError):
                times[at] = self._last_us = self._odd_time(read, text, first_line + at)
        return times

    def _odd_time(self, read: Reader, text: str, line: int) -> int:
        """A time with quotes that belong to nothing around it, as real exports have them, or none at all."""
        bare = text.strip().strip("\"'").strip()
        if bare.lower() in BLANKS:
            self.blank_times += 1
            return self._last_us
        try:
            return read(bare)
        except (ValueError, OverflowError):
            raise SettingError(
                f"{self._path}: line {line}, column {self._names.time!r}: {text!r} is not a time as in the first "
                f"rows: give {FORMS}"
            ) from None


def _encoding(sample: bytes) -> str:
    """UTF-8 or 16 with their marks, UTF-8, or what old spreadsheets write."""
    if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8-sig"


def _separator(lines: list[str], names: Sequence[str]) -> str:
    """The one by which the header has the names that are asked for, and the rows as many cells as the header."""

    def fits(separator: str) -> tuple[int, int]:
        rows = [row for row in csv.reader(lines[:50], delimiter=separator) if row]
        header = {cell.strip() for cell in rows[0]}
        even = sum(len(row) == len(rows[0]) for row in rows) if len(rows[0]) > 1 else 0
        return len(header & {*names}), even

    return max(SEPARATORS, key=fits)


def _place(name: str, header: list[str], path: Path) -> int:
    if name.strip() in header:
        return header.index(name.strip())
    close = difflib.get_close_matches(name, header, n=1, cutoff=0.5)
    folded = [known for known in header if known.casefold() == name.strip().casefold()]
    hint = f"; did you mean {(folded or close)[0]!r}?" if folded or close else ""
    shown = ", ".join(map(repr, header[:40])) + (f" and {len(header) - 40} more" if len(header) > 40 else "")
    raise SettingError(f"{path}: no column {name!r}; the columns are {shown}{hint}")


def read_all(path: Path, names: Names) -> Block:
    """A small file in one block. Raises SettingError, and OSError."""
    with open_table(path, names) as table:
        blocks = list(table.blocks())
    if not blocks:
        raise SettingError(f"{path}: there is no row under the header")
    labels = [block.labels for block in blocks if block.labels is not None]
    return Block(
        [text for block in blocks for text in block.times],
        np.concatenate([block.time_us for block in blocks]),
        np.concatenate([block.values for block in blocks]),
        np.concatenate(labels) if labels else None,
    )
