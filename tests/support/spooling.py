"""Spools for tests: frames whose bytes follow from their number, disks that fail, files as a cut leaves them."""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ingest.agent.record import Spooled
from ingest.agent.spool import Spool, SpoolLimits

NOW_US = 1_760_000_000_000_000
BOOT = 2**53 - 1
ROOMY = SpoolLimits(max_bytes=64 << 20, max_age_s=7 * 86_400)


def value_of(seq: int, length: int = 60) -> bytes:
    """Another for each number, and as long as asked."""
    return (f"{seq:08d}-".encode() * (length // 9 + 1))[:length]


def opened(path: Path, limits: SpoolLimits = ROOMY) -> Spool:
    return Spool.open(path, limits, NOW_US)


def append(spool: Spool, numbers: range, length: int = 60) -> list[int]:
    """One frame a second. Out: their ids."""
    return [spool.append(value_of(n, length), n, BOOT, NOW_US + n * 1_000_000) for n in numbers]


def all_waiting(spool: Spool, at_once: int = 50) -> list[Spooled]:
    """Everything that can be handed out, in order; it is all held then."""
    found: list[Spooled] = []
    while frames := spool.oldest(at_once):
        found += frames
    return found


def seqs(frames: list[Spooled]) -> list[int]:
    return [frame.seq for frame in frames]


def connection_of(spool: Spool) -> Any:
    """SQLite's side of it, for what only a broken disk would do."""
    assert spool._store is not None
    return spool._store._connection


def break_disk(spool: Spool, broken: bool = True) -> None:
    """SQLite then answers to any write as it does on a read-only disk."""
    connection_of(spool).execute(f"PRAGMA query_only = {int(broken)}")


def fill_disk(spool: Spool, full: bool = True) -> None:
    """SQLite then answers to any growth as it does on a full disk."""
    pages = connection_of(spool).execute("PRAGMA page_count").fetchone()[0]
    connection_of(spool).execute(f"PRAGMA max_page_count = {pages if full else 2**30}")


def as_killed(path: Path, to: Path) -> Path:
    """The files as `kill -9` would leave them now: a copy beside, since this process still has them locked."""
    to.mkdir(parents=True)
    for file in (path, log_of(path)):
        if file.exists():
            shutil.copy(file, to / file.name)
    return to / path.name


@contextmanager
def quick_directory() -> Iterator[Path]:
    """In memory where there is such a file system: syncing costs nothing, and thousands of starts take seconds."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        yield Path(name)


def log_of(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def with_small_pages(path: Path) -> Path:
    """A file of 512-byte pages, which what is opened there keeps: to be cut at every byte in seconds."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA page_size = 512")
    connection.execute("PRAGMA journal_mode = WAL").fetchall()
    connection.close()
    return path
