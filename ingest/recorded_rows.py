"""The rows of a recording's file as readings: cells to numbers, unit by unit, or a refusal with its line.

In: a session's file and the mapping. Out: `Row`s with their time, robot and slots; what cannot be read goes to
`refuse(file, line, reason)` and the rest goes on. Called by `ingest/recordings.py`.
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from ingest.mapping import POSITION, TRACKING_ERROR, Mapping, Use
from ingest.sessions import Session, SessionFile
from ingest.tables import checked_header, header_of, read_table
from schemas.errors import SettingError
from schemas.frame import MAX_INTEGER
from schemas.robot_code import RobotCode
from schemas.signals import MODES

Refuse = Callable[[str, int, str], None]

# Rows out of order are sorted in memory; a row is some 2 kB there, so this many are some 400 MB.
SORT_LIMIT = 200_000


@dataclass(slots=True)
class Row:
    """One line: `readings` are (slot, value) in double precision, NaN = absent. `mode` None: it does not say."""

    time_us: int
    code: RobotCode
    readings: list[tuple[int, float]]
    counters: dict[str, int] = field(default_factory=dict)
    mode: int | None = None


def read_rows(mapping: Mapping, session: Session, file: SessionFile, refuse: Refuse) -> Iterator[Row]:
    """The rows of one file in the order of their time. Raises SettingError where the file does not fit."""
    reader = _Reader(mapping, session, file, refuse)
    if file.in_order:
        yield from reader.rows()
        return
    held: list[Row] = []
    for row in reader.rows():
        held.append(row)
        if len(held) > SORT_LIMIT:
            raise SettingError(
                f"{file.path}: its times go back, and beyond {SORT_LIMIT} rows that is not put right: sort it "
                f"by its column {session.source.time.column!r}"
            )
    yield from sorted(held, key=lambda row: row.time_us)


class _Reader:
    """One file: the mapping's columns resolved to places and slots once, then a line at a time."""

    def __init__(self, mapping: Mapping, session: Session, file: SessionFile, refuse: Refuse) -> None:
        source = session.source
        self._source, self._file, self._shift_us, self._refuse = source, file, session.shift_us, refuse
        self._lines = read_table(file.path)
        self._header = header_of(file.path, self._lines)
        self._places = checked_header(file.path, self._header, source, mapping.robot.names)
        self._absent = {"", *source.absent}
        self._spans = source.layout(mapping.robot.joint_count).spans
        self._signals = [
            (self._places[column], self._slot(use), use.zero, use.scale)
            for column, use in source.uses
            if use.signal
        ]
        self._others = [(self._places[column], use) for column, use in source.uses if not use.signal]
        self._time_of = self._timing()
        self._code_of = self._coding(mapping, session.captures)
        self._commands = _Commands(session, file.path, refuse) if source.commands else None
        self._positions = [
            (column, self._places[column], self._spans[TRACKING_ERROR][0] + use.joint - 1, use.scale)
            for column, use in (source.uses if self._commands else [])
            if use.signal == POSITION
        ]

    def rows(self) -> Iterator[Row]:
        for number, (line, cells) in enumerate(self._lines):
            try:
                if isinstance(cells, str):
                    raise ValueError(cells)
                if len(cells) != len(self._header):
                    raise ValueError(f"{len(cells)} cells under a header of {len(self._header)}")
                row = self._row(number, cells)
            except (ValueError, SettingError) as error:
                self._refuse(self._file.name, line, str(error))
            else:
                yield row

    def _row(self, number: int, cells: list[str]) -> Row:
        time_us = self._time_of(number, cells) + self._shift_us
        if not 0 <= time_us <= MAX_INTEGER:
            raise ValueError("time lies before 1970 or after 2255")
        readings = [
            (slot, (self._number(cells[place], place) - zero) * scale) for place, slot, zero, scale in self._signals
        ]
        if self._commands is not None:
            for column, place, slot, scale in self._positions:
                commanded = self._commands.standing(column, time_us)
                readings.append((slot, (self._number(cells[place], place) - commanded) * scale))
        row = Row(time_us, self._code_of(cells), readings)
        for place, use in self._others:
            if cells[place] not in self._absent:
                self._take_other(row, use, cells[place], place)
        return row

    def _take_other(self, row: Row, use: Use, text: str, place: int) -> None:
        if use.mode:
            if text not in use.mode:
                raise ValueError(f"{self._header[place]}: {text[:40]!r} is none of {', '.join(use.mode)}")
            row.mode = MODES.index(use.mode[text])
            return
        count = self._number(text, place)
        if not 0 <= count <= MAX_INTEGER or count != int(count):
            raise ValueError(f"{self._header[place]}: {text[:40]!r} is not a counter: 0, 1, 2 …")
        row.counters[use.counter] = int(count)

    def _number(self, text: str, place: int) -> float:
        if text in self._absent:
            return math.nan
        try:
            return _number(text)
        except ValueError:
            raise ValueError(f"{self._header[place]}: {text[:40]!r} is not a number") from None

    def _slot(self, use: Use) -> int:
        first = self._spans[use.signal][0]
        return first + (use.joint or self._file.joint) - 1 if use.is_of_joint else first

    def _timing(self) -> Callable[[int, list[str]], int]:
        time = self._source.time
        if not time.column:
            start_us, interval_us = time.start_us, time.interval_s * 1e6
            return lambda number, _: start_us + round(number * interval_us)
        place, read = self._places[time.column], time.reader()
        return lambda _, cells: read(cells[place])

    def _coding(self, mapping: Mapping, captures: dict[str, str]) -> Callable[[list[str]], RobotCode]:
        names = [name for name in sorted(mapping.robot.names) if name not in captures]
        places = [self._places[name] for name in names]

        @lru_cache(maxsize=100_000)
        def code(*values: str) -> RobotCode:
            return mapping.robot.make(captures | dict(zip(names, values, strict=True)))

        return lambda cells: code(*[cells[place] for place in places])


class _Commands:
    """The movement commands beside a file of positions: what was commanded of a column at a time."""

    def __init__(self, session: Session, beside: Path, refuse: Refuse) -> None:
        assert session.source.commands is not None
        positions = _command_table(session, beside.parent / session.source.commands.positions, refuse)
        durations = _command_table(session, beside.parent / session.source.commands.durations_ms, refuse)
        self._times = sorted(positions.keys() & durations.keys())
        self._commands = [(time_us, positions[time_us], durations[time_us]) for time_us in self._times]

    def standing(self, column: str, time_us: int) -> float:
        """The commanded position once its movement is over; NaN before the first command and while one moves."""
        place = bisect_right(self._times, time_us) - 1
        if place < 0:
            return math.nan
        began_us, positions, durations_ms = self._commands[place]
        over = time_us >= began_us + durations_ms[column] * 1000
        return positions[column] if over else math.nan


def _command_table(session: Session, path: Path, refuse: Refuse) -> dict[int, dict[str, float]]:
    """Time to the numbers of the columns that feed positions."""
    lines = read_table(path)
    header = header_of(path, lines)
    places = checked_header(path, header, session.source, ())
    columns = [column for column, use in session.source.uses if use.signal == POSITION]
    read = session.source.time.reader()
    table: dict[int, dict[str, float]] = {}
    for line, cells in lines:
        try:
            if isinstance(cells, str) or len(cells) != len(header):
                raise ValueError("the line cannot be read")
            time_us = read(cells[places[session.source.time.column]]) + session.shift_us
            table[time_us] = {column: _number(cells[places[column]]) for column in columns}
        except ValueError as error:
            refuse(path.name, line, str(error))
    return table


def _number(text: str) -> float:
    """Python's float() also takes 1_000, which no recording means."""
    if "_" in text:
        raise ValueError(f"{text[:40]!r} is not a number")
    return float(text)
