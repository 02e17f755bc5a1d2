"""The book: a SQLite file with what became of each record of a ledger.

In: numbers of records as they are intended, attempted and acknowledged. Out: the same, for the check. Written by
`deploy/ledger/send.py`, read by `deploy/ledger/check.py`. Each `write` is durable when it returns, so that what was
intended is known before it is attempted, and what was attempted before the broker can have it.
"""

import sqlite3
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from deploy.ledger.plan import Int64, Plan
from schemas.errors import SettingError

INTENDED, ATTEMPTED, ACKNOWLEDGED = 0, 1, 2

_TABLES = """
CREATE TABLE plan (json TEXT NOT NULL);
CREATE TABLE record (
    number INTEGER PRIMARY KEY,
    state INTEGER NOT NULL DEFAULT 0,
    partition INTEGER,
    record_offset INTEGER
);
CREATE TABLE event (at_us INTEGER NOT NULL, text TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Records:
    """All records that were intended, by columns; partition and offset are -1 where nothing was acknowledged."""

    number: Int64
    state: Int64
    partition: Int64
    offset: Int64


class Book:
    """`create` begins one, `open_book` reads one that is there."""

    def __init__(self, path: Path, plan: Plan, connection: sqlite3.Connection) -> None:
        self.path = path
        self.plan = plan
        self._connection = connection

    @classmethod
    def create(cls, path: Path, plan: Plan) -> "Book":
        """Raises SettingError where there is one already: a book is written by one ledger, once."""
        if path.exists():
            raise SettingError(f"{path} is there already, and a ledger begins a new book: name another --book")
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, isolation_level=None)
        connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;" + _TABLES)
        connection.execute("INSERT INTO plan VALUES (?)", (msgspec.json.encode(plan).decode(),))
        return cls(path, plan, connection)

    @classmethod
    def open_book(cls, path: Path) -> "Book":
        """Raises SettingError where there is none."""
        if not path.is_file():
            raise SettingError(f"{path} is no book: `robovitals ledger --book {path}` writes one")
        connection = sqlite3.connect(path, isolation_level=None)
        try:
            (text,) = connection.execute("SELECT json FROM plan").fetchone()
            return cls(path, msgspec.json.decode(text, type=Plan), connection)
        except (sqlite3.DatabaseError, msgspec.MsgspecError, TypeError) as error:
            connection.close()
            raise SettingError(f"{path} is not a ledger's book: {error}") from None

    def write(
        self, intended: Iterable[int], attempted: Iterable[int], acknowledged: Iterable[tuple[int, int, int]]
    ) -> None:
        """Note all of it in one transaction. Acknowledged are (number, partition, offset)."""
        run = self._connection
        run.execute("BEGIN")
        run.executemany("INSERT INTO record (number) VALUES (?)", ((n,) for n in intended))
        run.executemany("UPDATE record SET state = 1 WHERE number = ? AND state = 0", ((n,) for n in attempted))
        run.executemany(
            "UPDATE record SET state = 2, partition = ?, record_offset = ? WHERE number = ?",
            ((partition, offset, number) for number, partition, offset in acknowledged),
        )
        run.execute("COMMIT")

    def note(self, text: str) -> None:
        """What happened on the way, for whoever reads the book."""
        self._connection.execute("INSERT INTO event VALUES (?, ?)", (time.time_ns() // 1000, text))

    def records(self) -> Records:
        rows = self._connection.execute(
            "SELECT number, state, ifnull(partition, -1), ifnull(record_offset, -1) FROM record ORDER BY number"
        ).fetchall()
        columns = np.array(rows, np.int64).reshape(-1, 4).T
        return Records(*columns)

    def close(self) -> None:
        self._connection.close()
