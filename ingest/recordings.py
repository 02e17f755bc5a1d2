"""A recording's sessions as frames, in the order of time, and the account of what was in them.

In: a mapping and its sessions. Out: `Frame`s as a robot would have sent them, one at a time: rows are streamed,
never held. Called by `ingest/replay.py`. What a recording does not hold stays absent: readings NaN, counters None,
mode `idle`, the monotonic clock 0. Values outside the physical range are sent as they are; the pipeline notes them.
"""

import heapq
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np

from ingest.mapping import Mapping
from ingest.recorded_rows import Row, read_rows
from ingest.sessions import Session
from schemas.frame import FRAME_VERSION, Frame, pack_values
from schemas.layout import Layout
from schemas.robot_code import RobotCode
from schemas.screen import screen
from schemas.signals import MODES

REFUSALS_SHOWN = 20
IDLE = MODES.index("idle")


@dataclass(slots=True)
class Account:
    """What the frames held: readings absent and impossible, rows refused, and the first refusals in words."""

    frames: int = 0
    readings: int = 0
    absent: int = 0
    impossible: int = 0
    refused: int = 0
    refusals: list[str] = field(default_factory=list)

    def refuse(self, file: str, line: int, reason: str) -> None:
        self.refused += 1
        if len(self.refusals) < REFUSALS_SHOWN:
            self.refusals.append(f"{file}:{line}: {reason}")

    def take(self, layout: Layout, values: bytes) -> None:
        """Count one frame, screened as the pipeline will screen it."""
        row = np.frombuffer(values, "<f4").reshape(1, -1)
        self.frames += 1
        self.readings += row.size
        self.absent += int(np.isnan(row).sum())
        self.impossible += len(screen(layout, row)[1].value)


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
    return heapq.merge(*(_frames(mapping, session, account) for session in spell), key=lambda f: f.time_us)


def _frames(mapping: Mapping, session: Session, account: Account) -> Iterator[Frame]:
    layout = session.source.layout(mapping.robot.joints)
    boots: dict[RobotCode, int] = {}
    sequences: dict[RobotCode, int] = {}
    for rows in _merged([read_rows(mapping, session, file, account.refuse) for file in session.files]):
        code = rows[0].code
        seq = sequences[code] = sequences.get(code, -1) + 1
        boot_id = boots.get(code) or boots.setdefault(code, session.boot_id(code))
        frame = _frame(mapping, session, layout, rows, boot_id, seq)
        account.take(layout, frame.values)
        yield frame


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
