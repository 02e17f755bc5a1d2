"""A robot's books: what its agent took, and where each of those frames is now, to the unit.

In: what the agent told while it ran (`faults/agent_child.py`), the database, the robot's spool at rest. Out: a
`Book` a robot, whose `wrong` says in words what does not balance. Called by `faults/agents.py`.

A frame that was attempted and not taken was cut by `kill -9` in the middle: it may be there or not. Every other one
is in exactly one place, and every one that is in none was dropped and reported, in a row of the database.
"""

from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import psycopg
from rich.table import Table

from faults.agent_child import ATTEMPTED, TAKEN
from faults.agent_robot import Robot
from ingest.agent.spool import Spool, SpoolLimits
from schemas.frame import Frame, decode_frame

_ROWS = "SELECT boot_id, seq, cycles FROM frame WHERE robot_id = %s"
_REPORTED = "SELECT coalesce(max(dropped), 0) FROM frame WHERE robot_id = %s"
_REJECTS = "SELECT value FROM reject WHERE key = %s"
_ALL = SpoolLimits(10**9, 1e9)


class Entry(NamedTuple):
    """One frame; `number` is of the reading that it was made of."""

    boot_id: int
    seq: int
    number: int


class Book(msgspec.Struct, frozen=True):
    """`cut`: connections that its network ended. `records`: how many the broker has, those sent twice included."""

    name: str
    kills: int
    cut: int
    records: int
    was_full: bool
    intended: int
    attempted: set[Entry]
    taken: set[Entry]
    rows: list[Entry]
    rejected: set[Entry]
    spooled: set[Entry]
    reported: int

    @property
    def found(self) -> set[Entry]:
        return {*self.rows, *self.rejected, *self.spooled}

    @property
    def balance(self) -> int:
        """Of what was taken: how many are in no place and not reported; below nought are too many."""
        return len(self.taken) - len(self.found & self.taken) - self.reported

    @property
    def wrong(self) -> list[str]:
        cut = self.attempted - self.taken
        never = self.intended - len({entry.number for entry in self.attempted})
        faults = {
            f"{self.balance} of {len(self.taken)} are nowhere": self.balance,
            f"{len(self.rows) - len(set(self.rows))} twice": len(self.rows) != len(set(self.rows)),
            "rows and rejects at once": {*self.rows} & self.rejected,
            "found what was never made": self.found - self.attempted,
            f"{len(cut)} cut by {self.kills} kills": len(cut) > self.kills,
            f"{never} readings never taken, and nobody killed it": never and not self.kills,
        }
        return [f"{self.name}: {fault}" for fault, holds in faults.items() if holds]


def read_book(robot: Robot, records: int, connection: psycopg.Connection[Any]) -> Book:
    """The agent has ended."""
    directory, code = robot.directory, robot.code
    told = [line.split() for line in (directory / "told").read_text().splitlines()]
    by_kind = {
        kind: {Entry(int(boot), int(seq), int(number)) for word, boot, seq, number in told if word == kind}
        for kind in (ATTEMPTED, TAKEN)
    }
    rows = [Entry(*row) for row in connection.execute(_ROWS, (code,))]
    values = [bytes(value) for (value,) in connection.execute(_REJECTS, (code.encode(),))]
    (reported,) = connection.execute(_REPORTED, (code,)).fetchone() or (0,)
    # What was acknowledged and not synced before a kill is in the spool still: it is where it landed.
    spooled = _in_spool(directory / "spool.db") - {*rows}
    rejected = {_entry(decode_frame(value)) for value in values}
    return Book(
        name=robot.kind.name,
        kills=robot.kills,
        cut=robot.cut,
        records=records,
        was_full="the spool's disk is full" in robot.log(),
        intended=robot.intended,
        attempted=by_kind[ATTEMPTED],
        taken=by_kind[TAKEN],
        rows=rows,
        rejected=rejected,
        spooled=spooled - rejected,
        reported=reported,
    )


def _in_spool(path: Path) -> set[Entry]:
    spool = Spool.open(path, _ALL, 0)
    try:
        return {_entry(decode_frame(frame.value)) for frame in spool.oldest(spool.frames)}
    finally:
        spool.close()


def _entry(frame: Frame) -> Entry:
    return Entry(frame.boot_id, frame.seq, frame.cycles or 0)


def drawn(books: list[Book], title: str) -> Table:
    """A line a robot."""
    table = Table(title=title, title_justify="left")
    for name in (
        "robot", "kills", "cut", "intended", "taken", "records", "rows", "rejected", "spooled", "dropped",
        "balance",
    ):  # fmt: skip
        table.add_column(name, justify="left" if name == "robot" else "right")
    for book in books:
        counts = (
            book.kills, book.cut, book.intended, len(book.taken), book.records, len(book.rows), len(book.rejected),
            len(book.spooled), book.reported, book.balance,
        )  # fmt: skip
        table.add_row(book.name, *map(str, counts), style="red" if book.wrong else None)
    return table
