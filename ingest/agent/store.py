"""The spool's SQLite file: frames in order of their ids, and a tally of them.

In: frames to add, ids to delete. Out: rows, counts. Raises DiskError and DamageError only, and SettingError where
another process has the file. Called by `ingest/agent/spool.py`, which decides; nothing is decided here.

A commit reaches the file and outlives `kill -9`. It is safe from a power cut with the next `durable` transaction,
which syncs the write-ahead log (WAL mode, synchronous FULL there and NORMAL elsewhere). The file is open
exclusively, so it needs no shared memory beside it, and a second agent on the same spool is told.
"""

import os
import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from ingest.agent.disk_errors import DRIVER_ERRORS, DamageError, DiskError, mapped, mapped_at_open
from ingest.agent.log_tail import torn_bytes
from ingest.agent.record import Row, Spooled, to_row

FORMAT = 1
LEAST_BYTES = 512  # SQLite's smallest page
BUSY_S = 5.0  # so long a predecessor may take to close
# The log is written back to the file by then, so both together stay within the limit and this.
WAL_BYTES = 4 << 20
# A file that has more room to spare than this is made small again.
SPARE_BYTES = 1 << 20

_CREATE_FRAME = """
CREATE TABLE frame (
    id INTEGER PRIMARY KEY,
    boot_id INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    time_us INTEGER NOT NULL,
    crc INTEGER NOT NULL,
    value BLOB NOT NULL
)
"""
# One row. `next_id` and `frames` are as of its last change: frames with later ids were added since. `syncs` counts
# up so that a sync always has something to write: without, SQLite would not sync.
_CREATE_TALLY = """
CREATE TABLE tally (
    next_id INTEGER NOT NULL,
    frames INTEGER NOT NULL,
    dropped INTEGER NOT NULL,
    syncs INTEGER NOT NULL,
    crc INTEGER NOT NULL
)
"""
_INSERT = "INSERT INTO frame (id, boot_id, seq, time_us, crc, value) VALUES (?, ?, ?, ?, ?, ?)"
_DELETE = "DELETE FROM frame WHERE id BETWEEN ? AND ?"
READ = "SELECT id, boot_id, seq, time_us, crc, value FROM frame WHERE id >= ? ORDER BY id LIMIT ?"
_READ_TIMES = "SELECT id, time_us FROM frame ORDER BY id LIMIT ?"
_READ_IDS = "SELECT id FROM frame ORDER BY id LIMIT ?"
_FIRST, _LAST = "SELECT min(id) FROM frame", "SELECT max(id) FROM frame"
_READ_TALLY = "SELECT next_id, frames, dropped, syncs, crc FROM tally"
_WRITE_TALLY = "UPDATE tally SET next_id = ?, frames = ?, dropped = ?, syncs = ?, crc = ?"


class Tally(msgspec.Struct, frozen=True):
    """What is counted: the id that the next frame gets, frames in the file, and frames dropped in its life."""

    next_id: int
    frames: int
    dropped: int
    syncs: int

    @property
    def row(self) -> tuple[int, ...]:
        numbers = (self.next_id, self.frames, self.dropped, self.syncs)
        return *numbers, zlib.crc32(repr(numbers).encode())


class Store:
    """One file. `tally` is what the last commit left, `torn_bytes` how much of the log a power cut had cost."""

    def __init__(
        self, path: Path, connection: sqlite3.Connection, tally: Tally, page_bytes: int, torn_bytes: int
    ) -> None:
        """`open` is the way in."""
        self.path = path
        self.tally = tally
        self.torn_bytes = torn_bytes
        self._connection = connection
        self._page_bytes = page_bytes

    @classmethod
    def open(cls, path: Path) -> "Store":
        """Open the file, or make it."""
        log = path.with_name(path.name + "-wal")
        size = _size(path)
        if size < LEAST_BYTES and (size or _size(log)):
            raise DamageError("it is cut short")  # SQLite would take it for new, and delete its log
        connection = connect(path)
        try:
            whole = connection.execute("PRAGMA wal_checkpoint").fetchone()[1]
            page_bytes = int(connection.execute("PRAGMA page_size").fetchone()[0])
            # Below nought SQLite has not looked at the log: then nothing is known of it, and nothing told.
            torn = torn_bytes(log, whole, page_bytes) if whole >= 0 else 0
            if not connection.execute("PRAGMA user_version").fetchone()[0]:
                _create(connection)
            tally = read_tally(connection)
            if tally is None:
                raise DamageError("its tally cannot be read")
            connection.execute(_WRITE_TALLY, tally.row)  # a header that forbids to write is seen now
            first, last = (connection.execute(one).fetchone()[0] for one in (_FIRST, _LAST))
            return cls(path, connection, _brought_up(tally, first, last), page_bytes, torn)
        except DRIVER_ERRORS as error:
            connection.close()
            raise mapped_at_open(error, path) from None
        except DamageError:
            connection.close()
            raise

    @contextmanager
    def transaction(self, *, durable: bool = False) -> Iterator[None]:
        """All or nothing; the tally is written with it."""
        run, before = self._connection.execute, self.tally
        try:
            if durable:
                run("PRAGMA synchronous = FULL")
            run("BEGIN IMMEDIATE")
            yield
            self.tally = msgspec.structs.replace(self.tally, syncs=before.syncs + durable)
            if run(_WRITE_TALLY, self.tally.row).rowcount != 1:
                raise DamageError("its tally is gone")
            run("COMMIT")
        except BaseException as error:
            self.tally = before
            with self._mapping():
                if self._connection.in_transaction:  # SQLite has ended some by itself
                    run("ROLLBACK")
                if isinstance(error, DRIVER_ERRORS):
                    raise
            raise
        finally:
            if durable:
                with self._mapping():
                    run("PRAGMA synchronous = NORMAL")

    def append(self, frame: Spooled) -> None:
        """Add one frame, a transaction by itself that needs no tally: its id is the next."""
        with self._mapping():
            self._connection.execute(_INSERT, to_row(frame))
        self.tally = msgspec.structs.replace(self.tally, next_id=frame.id + 1, frames=self.tally.frames + 1)

    def add(self, frames: Iterable[Spooled]) -> None:
        """Within a transaction."""
        added = self._connection.executemany(_INSERT, map(to_row, frames)).rowcount
        self.tally = msgspec.structs.replace(self.tally, frames=self.tally.frames + max(0, added))

    def reserve(self, next_id: int) -> None:
        """Within a transaction: ids below are used up, though they never came here."""
        self.tally = msgspec.structs.replace(self.tally, next_id=next_id)

    def delete(self, ranges: Iterable[tuple[int, int]], *, dropped: bool = False) -> int:
        """Within a transaction: delete ids from first to last of each range, and count them as dropped, if they
        are. Out: how many there were."""
        gone = max(0, self._connection.executemany(_DELETE, ranges).rowcount)
        tally = self.tally
        self.tally = msgspec.structs.replace(
            tally, frames=tally.frames - gone, dropped=tally.dropped + (gone if dropped else 0)
        )
        return gone

    def count_dropped(self, frames: int) -> None:
        """Within a transaction: frames that never came here."""
        self.tally = msgspec.structs.replace(self.tally, dropped=self.tally.dropped + frames)

    def read(self, from_id: int, count: int) -> list[Row]:
        """Rows in order of their ids, unchecked."""
        with self._mapping():
            return self._connection.execute(READ, (from_id, count)).fetchall()

    def first_ids(self, count: int) -> list[int]:
        with self._mapping():
            return [row[0] for row in self._connection.execute(_READ_IDS, (count,))]

    def first_times(self, count: int) -> list[tuple[int, int]]:
        """(id, time_us) of the oldest."""
        with self._mapping():
            return self._connection.execute(_READ_TIMES, (count,)).fetchall()

    def used_bytes(self) -> int:
        """What frames and tables take of the file; the rest is used again before the file grows."""
        with self._mapping():
            pages, spare = self._pages()
            return (pages - spare) * self._page_bytes

    def make_small(self) -> None:
        """Give room back to the disk, where little is in use and much is spare."""
        with self._mapping():
            pages, spare = self._pages()
            if spare * self._page_bytes > SPARE_BYTES and spare > pages * 3 // 4:
                self._connection.execute("VACUUM")
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Whatever the disk says: what was committed stays committed."""
        with self._mapping():
            self._connection.close()

    def _pages(self) -> tuple[int, int]:
        run = self._connection.execute
        return run("PRAGMA page_count").fetchone()[0], run("PRAGMA freelist_count").fetchone()[0]

    @contextmanager
    def _mapping(self) -> Iterator[None]:
        try:
            yield
        except DRIVER_ERRORS as error:
            raise mapped(error, self.path) from None


def connect(path: Path, *, cut: bool = False) -> sqlite3.Connection:
    """The file, exclusively and in WAL mode; made where it is not there, and readable by its owner only.

    SQLite refuses a file that is shorter than it should be; `cut` has it read as far as it goes.
    """
    connection = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):  # one that is there is not touched: closing it would undo SQLite's locks
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        if not os.access(path, os.W_OK):
            raise DiskError("read-only", f"{path} may not be written")  # SQLite says "disk I/O error" of its locks
        connection = sqlite3.connect(path, isolation_level=None, timeout=BUSY_S, check_same_thread=False)
        for pragma in (
            f"writable_schema = {'ON' if cut else 'OFF'}",
            "locking_mode = EXCLUSIVE",
            "journal_mode = WAL",
            f"journal_size_limit = {WAL_BYTES}",
            "synchronous = NORMAL",
            "cell_size_check = ON",
            "temp_store = MEMORY",
        ):
            connection.execute(f"PRAGMA {pragma}").fetchall()
        return connection
    except DRIVER_ERRORS as error:
        if connection is not None:
            connection.close()
        raise mapped_at_open(error, path) from None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _create(connection: sqlite3.Connection) -> None:
    """The tables, in one transaction; a table that is there with no version is damage, and an error."""
    connection.execute("BEGIN IMMEDIATE")
    for statement in (_CREATE_FRAME, _CREATE_TALLY):
        connection.execute(statement)
    connection.execute("INSERT INTO tally VALUES (?, ?, ?, ?, ?)", Tally(1, 0, 0, 0).row)
    connection.execute(f"PRAGMA user_version = {FORMAT}")
    connection.execute("COMMIT")


def read_tally(connection: sqlite3.Connection) -> Tally | None:
    """None where it is not what was written. Raises sqlite3's errors."""
    row = connection.execute(_READ_TALLY).fetchone()
    if row is None or not all(isinstance(number, int) for number in row):
        return None
    tally = Tally(*row[:-1])
    return tally if tally.row == row else None


def _brought_up(tally: Tally, first: int | None, last: int | None) -> Tally:
    """With the frames that were added since the tally was written. Raises DamageError where it cannot be so."""
    added = room = 0
    if first is not None and last is not None:
        added, room = max(0, last + 1 - tally.next_id), last - first + 1
    frames = tally.frames + added
    if not 0 <= frames <= room or (room and not frames):
        raise DamageError(f"its tally has {frames} frames, and there is room for {room}")
    return msgspec.structs.replace(tally, next_id=tally.next_id + added, frames=frames)
