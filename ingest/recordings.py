"""A recording's sessions as frames, in the order of time, and the account of what was in them.

In: a mapping and its sessions. Out: `Frame`s as a robot would have sent them, one at a time: rows and messages are
streamed, never held. Called by `ingest/replay.py` and `ingest/importing.py`. What a recording does not hold stays
absent: readings NaN, counters None, mode `idle`, the monotonic clock 0. Values outside the physical range are sent
as they are; the pipeline notes them.
"""

import heapq
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from ingest.account import Account
from ingest.bags.messages import MessageReader
from ingest.bags.order import Mark
from ingest.mapping import Mapping
from ingest.recorded_rows import Row, read_rows
from ingest.sessions import Session
from schemas.frame import FRAME_VERSION, Frame, pack_values
from schemas.layout import Layout, parse_layout
from schemas.robot_code import RobotCode
from schemas.signals import MODES

IDLE = MODES.index("idle")


@dataclass(frozen=True, slots=True)
class Recorded:
    """A frame, the session that it is of, and, now and then, the mark from which that session can go on."""

    frame: Frame
    session: Session
    mark: Mark | None = None


def spells(sessions: Sequence[Session]) -> Iterator[list[Session]]:
    """Sessions, oldest first, in groups that overlap in time: those are replayed side by side."""
    spell: list[Session] = []
    until_us = 0
    for session in sessions:
        if spell and session.first_us > until_us:
            yield spell
            spell = []
        until_us = max(until_us, session.last_us) if spell else session.last_us
        spell.append(session)
    if spell:
        yield spell


def spell_frames(mapping: Mapping, spell: Sequence[Session], account: Account) -> Iterator[Frame]:
    """The frames of sessions that overlap, in the order of time across all of them."""
    return (recorded.frame for recorded in spell_recorded(mapping, spell, account, {}))


def spell_recorded(
    mapping: Mapping, spell: Sequence[Session], account: Account, begins: dict[str, Mark]
) -> Iterator[Recorded]:
    """The same with their sessions and marks; `begins` has the mark at which a session of that name goes on."""
    sessions = [_recorded(mapping, session, account, begins.get(session.name, Mark())) for session in spell]
    return heapq.merge(*sessions, key=lambda recorded: recorded.frame.time_us)


def _recorded(mapping: Mapping, session: Session, account: Account, begins: Mark) -> Iterator[Recorded]:
    if session.source.topics:
        return _of_messages(mapping, session, account, begins)
    return _of_rows(mapping, session, account, begins)


def _of_messages(mapping: Mapping, session: Session, account: Account, begins: Mark) -> Iterator[Recorded]:
    code = mapping.robot.make(session.captures)
    boot_id = session.boot_id(code)
    reader = MessageReader(mapping, session, session.files[0], account, begins)
    for seq, (summary, mark) in enumerate(reader.summaries(), begins.frames):
        frame = Frame(
            v=FRAME_VERSION,
            robot_id=code,
            boot_id=boot_id,
            seq=seq,
            time_us=summary.time_us,
            mono_us=0,
            runtime_s=summary.runtime_s,
            energy_wh=summary.energy_wh,
            cycles=summary.cycles,
            mode=summary.mode,
            scenario=session.source.scenario,
            software=mapping.software,
            flags=0,
            layout=summary.layout,
            values=summary.values,
            extremes=summary.extremes,
        )
        account.take(parse_layout(summary.layout), frame.values)
        yield Recorded(frame, session, mark)


def _of_rows(mapping: Mapping, session: Session, account: Account, begins: Mark) -> Iterator[Recorded]:
    """A table has no places to go on at: its rows are read again, and those that are frames already left out."""
    layout = session.source.layout(mapping.robot.joint_count)
    boots: dict[RobotCode, int] = {}
    sequences: dict[RobotCode, int] = {}
    files = [read_rows(mapping, session, file, account.refuse) for file in session.files]
    for number, rows in enumerate(_merged(files), 1):
        code = rows[0].code
        seq = sequences[code] = sequences.get(code, -1) + 1
        boot_id = boots.get(code) or boots.setdefault(code, session.boot_id(code))
        if number > begins.frames:
            frame = _frame(mapping, session, layout, rows, boot_id, seq)
            account.take(layout, frame.values)
            yield Recorded(frame, session, Mark(frames=number))


def _merged(files: list[Iterator[Row]]) -> Iterator[list[Row]]:
    """Rows of the same robot and time, at most one of each file, together; in the order of time."""
    heads = [next(file, None) for file in files]
    while standing := [row for row in heads if row is not None]:
        earliest = min(standing, key=lambda row: row.time_us)
        together: list[Row] = []
        for place, row in enumerate(heads):
            if row is not None and row.time_us == earliest.time_us and row.code == earliest.code:
                together.append(row)
                heads[place] = next(files[place], None)
        yield together


def _frame(mapping: Mapping, session: Session, layout: Layout, rows: list[Row], boot_id: int, seq: int) -> Frame:
    values = [math.nan] * len(layout.slots)
    for slot, value in chain.from_iterable(row.readings for row in rows):
        values[slot] = value
    counters = {name: count for row in rows for name, count in row.counters.items()}
    modes = [row.mode for row in rows if row.mode is not None]
    return Frame(
        v=FRAME_VERSION,
        robot_id=rows[0].code,
        boot_id=boot_id,
        seq=seq,
        time_us=rows[0].time_us,
        mono_us=0,
        runtime_s=counters.get("runtime_s"),
        energy_wh=counters.get("energy_wh"),
        cycles=counters.get("cycles"),
        mode=modes[0] if modes else IDLE,
        scenario=session.source.scenario,
        software=mapping.software,
        flags=0,
        layout=layout.text,
        values=pack_values(values),
    )
