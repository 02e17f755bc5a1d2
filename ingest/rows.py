"""Decoded messages to the rows of `frame` and `vitals`, ready for COPY. Pure.

In: the columns of a micro-batch of frames, or windows of shards. Out: `Rows`, bytes in PostgreSQL's binary COPY
format, and of frames the impossible readings that were taken out. Called by `ingest/batch.py`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np

from ingest.copy import Cell, Integers, Nulls, RealArrays, Reals, Selection, Text, encode_rows
from schemas.columns import ABSENT, Float32, FrameColumns, Int64, LayoutGroup, Texts, code_matrix
from schemas.layout import Layout, parse_layout
from schemas.screen import screen_group
from schemas.signals import COUNTERS, FRAME_COUNTERS, SIGNAL, SIGNALS, Component, Statistic
from schemas.vitals import Vitals, unpack_columns, unpack_statistics

# PostgreSQL counts microseconds from the year 2000.
POSTGRES_EPOCH_US = 946_684_800_000_000


@dataclass(frozen=True, slots=True)
class Rows:
    """`count` rows of one table: the columns they fill, and their bytes in blocks."""

    columns: tuple[str, ...] = ()
    blocks: list[memoryview] = field(default_factory=list)
    count: int = 0


@dataclass(frozen=True, slots=True)
class ImpossibleReadings:
    """Readings taken out of their frames, a list a column of `impossible_reading`. `joint` 0: not a joint's."""

    robot_id: list[str] = field(default_factory=list)
    time_us: list[int] = field(default_factory=list)
    seq: list[int] = field(default_factory=list)
    boot_id: list[int] = field(default_factory=list)
    signal: list[str] = field(default_factory=list)
    joint: list[int] = field(default_factory=list)
    value: list[float] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.value)


def frame_rows(columns: FrameColumns) -> tuple[Rows, ImpossibleReadings]:
    """A row a frame, each value that is physically impossible as NULL; and those values."""
    impossible = ImpossibleReadings()
    parts: list[tuple[dict[str, Cell], int]] = []
    for group in columns.groups:
        screened, found = screen_group(group)
        _note_impossible(impossible, columns, group, found.row, found.slot, found.value)
        for part in _by_extremes(screened):
            readings = _signal_cells(part.layout, part.values) | _extreme_cells(part)
            for chosen in _by_text_lengths(columns.scenario.at(part.rows), columns.software.at(part.rows)):
                rows = part.rows[chosen]
                parts.append((_frame_cells(columns, rows) | _cut(readings, chosen), len(rows)))
    return _joined(parts), impossible


def _by_extremes(group: LayoutGroup) -> list[LayoutGroup]:
    """The group's frames whose extremes say something beside the values, and those without: they have no array."""
    if group.extremes is None:
        return [group]
    say = (group.extremes.lowest < group.values) | (group.extremes.highest > group.values)
    some = np.asarray(say.any(axis=1))
    parts = [group.at(some), replace(group, extremes=None).at(~some)]
    return [part for part in parts if len(part.rows)]


def vitals_rows(windows: Iterable[Vitals]) -> Rows:
    """A row a robot and window."""
    parts: list[tuple[dict[str, Cell], int]] = []
    for vitals in windows:
        software, scenario = Texts.of(vitals.software), Texts.of(vitals.scenario)
        cells = _window_cells(vitals) | _statistic_cells(vitals)
        for chosen in _by_text_lengths(software, scenario):
            texts = {"software": _text(software.at(chosen)), "scenario": _text(scenario.at(chosen))}
            parts.append((_cut(cells, chosen) | texts, len(software.codes[chosen])))
    return _joined(parts)


def _cut(cells: dict[str, Cell], rows: Selection) -> dict[str, Cell]:
    return {name: cell.at(rows) for name, cell in cells.items()}


def _joined(parts: list[tuple[dict[str, Cell], int]]) -> Rows:
    if not parts:
        return Rows()
    columns = tuple(parts[0][0])
    blocks = [block for cells, count in parts for block in encode_rows([cells[c] for c in columns], count)]
    return Rows(columns, blocks, sum(count for _, count in parts))


def _frame_cells(columns: FrameColumns, rows: Int64) -> dict[str, Cell]:
    cells: dict[str, Cell] = {
        "robot_id": Text(code_matrix(columns.robot_id[rows])),
        "time": _time(columns.time_us[rows]),
        "seq": Integers(columns.seq[rows]),
        "boot_id": Integers(columns.boot_id[rows]),
        "mono_us": Integers(columns.mono_us[rows]),
        "received": _time(columns.received_us[rows]),
        "mode": Integers(columns.mode[rows]),
        "backfill": Integers(columns.backfill[rows].view(np.int8)),
        "scenario": _text(columns.scenario.at(rows)),
        "software": _text(columns.software.at(rows)),
    }
    return cells | {name: _counter(columns.counters[name][rows]) for name in FRAME_COUNTERS}


def _signal_cells(layout: Layout, values: Float32) -> dict[str, Cell]:
    return {signal.name: _real_cell(signal.name, layout.spans, values) for signal in SIGNALS}


def _extreme_cells(group: LayoutGroup) -> dict[str, Cell]:
    if group.extremes is None:
        return {"lowest": Nulls(), "highest": Nulls(), "extremes_layout": Nulls()}
    layout = np.frombuffer(group.layout.text.encode(), np.uint8)
    return {
        "lowest": RealArrays(group.extremes.lowest),
        "highest": RealArrays(group.extremes.highest),
        "extremes_layout": Text(np.broadcast_to(layout, (len(group.rows), len(layout)))),
    }


def _window_cells(vitals: Vitals) -> dict[str, Cell]:
    columns = unpack_columns(vitals)
    count = len(columns["frames"])
    cells: dict[str, Cell] = {
        "robot_id": Text(code_matrix(columns["robot_id"])),
        "start": _time(np.full(count, vitals.start_us, np.int64)),
        "length_us": Integers(np.full(count, vitals.length_us, np.int64)),
        "kind": Integers(np.full(count, vitals.kind, np.int16)),
        "last_time": _time(columns["last_time_us"]),
        "received": _time(columns["received_us"]),
    }
    plain = ("frames", "first_seq", "last_seq", "boot_id", "missing", "fault_frames", "backfill_frames", "mode")
    return (
        cells
        | {name: Integers(columns[name]) for name in plain}
        | {name: _counter(columns[name]) for name in COUNTERS}
    )


def _statistic_cells(vitals: Vitals) -> dict[str, Cell]:
    layout = parse_layout(vitals.layout)
    statistics = unpack_statistics(vitals)
    return {
        f"{signal.name}_{statistic}": _real_cell(
            signal.name, _statistic_spans(layout, statistic), statistics[statistic]
        )
        for signal in SIGNALS
        for statistic in signal.statistics
    }


@lru_cache(maxsize=1024)
def _statistic_spans(layout: Layout, statistic: Statistic) -> dict[str, tuple[int, int]]:
    """For each signal that keeps `statistic` its first column of that statistic, and the one after its last."""
    spans: dict[str, tuple[int, int]] = {}
    at = 0
    for name, (first, end) in layout.spans.items():
        if statistic in SIGNAL[name].statistics:
            spans[name] = (at, at + end - first)
            at += end - first
    return spans


def _real_cell(signal: str, spans: dict[str, tuple[int, int]], values: Float32) -> Cell:
    if signal not in spans:
        return Nulls()
    first, end = spans[signal]
    if SIGNAL[signal].component is Component.JOINT:
        return RealArrays(values[:, first:end])
    return Reals(values[:, first])


def _time(time_us: Int64) -> Integers:
    return Integers(time_us - POSTGRES_EPOCH_US)


def _counter(values: Int64) -> Integers:
    return Integers(values, values == ABSENT)


def _text(texts: Texts) -> Text:
    """The UTF-8 of a column whose rows all have texts of one length."""
    encoded = _utf8(texts)
    table = np.zeros((len(encoded), len(encoded[texts.codes[0]])), np.uint8)
    for row, value in zip(table, encoded, strict=True):
        if len(value) == len(row):
            row[:] = np.frombuffer(value, np.uint8)
    return Text(table[texts.codes])


def _by_text_lengths(*columns: Texts) -> list[Selection]:
    """A group's rows, parted so that each column of texts has one length within a part."""
    lengths = [np.array([len(value) for value in _utf8(c)], np.int64)[c.codes] for c in columns]
    if all((length == length[:1]).all() for length in lengths):
        return [slice(None)]
    part = np.unique(np.stack(lengths), axis=1, return_inverse=True)[1]
    return [np.nonzero(part == p)[0] for p in range(int(part.max()) + 1)]


def _utf8(texts: Texts) -> list[bytes]:
    return [text.encode(errors="replace") for text in texts.values]


def _note_impossible(
    noted: ImpossibleReadings, columns: FrameColumns, group: LayoutGroup, row: Int64, slot: Int64, value: Float32
) -> None:
    if not len(row):
        return
    rows = group.rows[row]
    slots = [group.layout.slots[at] for at in slot]
    noted.robot_id.extend(code.decode() for code in columns.robot_id[rows].tolist())
    noted.time_us.extend(columns.time_us[rows].tolist())
    noted.seq.extend(columns.seq[rows].tolist())
    noted.boot_id.extend(columns.boot_id[rows].tolist())
    noted.signal.extend(s.signal.name for s in slots)
    noted.joint.extend(s.joint for s in slots)
    noted.value.extend(value.tolist())
