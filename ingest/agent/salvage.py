"""What is done about a spool file that SQLite cannot read: what is readable is kept, the file is set aside.

In: the path of the damaged file. Out: a new file in its place with every frame that can still be read, and a line
that says so. Called by `ingest/agent/spool.py`.

A kill at any moment loses nothing: the new file is made beside the damaged one and takes its place when it is
whole. Of damaged files the last one is kept, under its name with `.damaged-TIME`, for whoever wants to see more.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from ingest.agent.disk_errors import DRIVER_ERRORS, DiskError, mapped
from ingest.agent.ids import IdRanges
from ingest.agent.record import Row, Spooled, from_row
from ingest.agent.store import READ, Store, Tally, connect, read_tally

BATCH = 500
LAST_ID = 2**53


def remake(path: Path, now_us: int, known: Tally | None, gone: IdRanges, cause: str) -> tuple[Store, str]:
    """Out: the new store, open, and what to tell. `known` is the tally where somebody still has it, `gone` are ids
    that it counts and that need not be kept.

    Raises DiskError where the disk does not let it.
    """
    making = _beside(path, ".new")
    store = Store.open(making)
    try:
        told = _rescue(path, store, known, gone)
    finally:
        store.close()
    aside = _beside(path, f".damaged-{datetime.fromtimestamp(now_us / 1e6, UTC):%Y%m%dT%H%M%SZ}")
    for old in path.parent.glob(f"{path.name}.damaged-*"):
        _remove(old)
    _move(path, aside)
    _move(making, path)
    return Store.open(path), f"{path} was damaged ({cause}): {told}; what it was is {aside}"


def finish(path: Path) -> None:
    """Before the file is opened: what a kill in the middle of `remake` left."""
    making = _beside(path, ".new")
    if making.exists() and not path.exists():
        _move(making, path)
    elif making.exists():
        _remove(making)


def _rescue(path: Path, store: Store, known: Tally | None, gone: IdRanges) -> str:
    """Fill the new store, and say with how much. A frame that is missing and known of counts as dropped."""
    tally, next_id = known, 1
    with suppress(DiskError):  # not even its first page: then there is nothing to be had
        connection = connect(path, cut=True)
        try:
            with suppress(*DRIVER_ERRORS):
                tally = tally or read_tally(connection)
            for frames in _batches(connection):
                next_id = frames[-1].id + 1
                with store.transaction():
                    store.add(frame for frame in frames if frame.id not in gone)
                    store.reserve(next_id)
        finally:
            with suppress(*DRIVER_ERRORS):
                connection.close()
    lost, found = None, store.tally.frames
    if tally is not None:
        lost = max(0, tally.frames + max(0, next_id - tally.next_id) - len(gone) - found)
        next_id = max(next_id, tally.next_id)
    with store.transaction(durable=True):
        store.reserve(next_id)
        store.count_dropped((tally.dropped if tally else 0) + (lost or 0))
    return f"{found} frames were read from it, {'nobody knows how many' if lost is None else lost} are lost"


def _batches(connection: sqlite3.Connection) -> Iterator[list[Spooled]]:
    """Frames in order of their ids, over all that SQLite can reach; what is between is passed over."""
    next_id: int | None = 1
    count = BATCH
    while next_id is not None:
        rows = _rows(connection, next_id, count)
        if rows is None:
            # Not even a row that comes before the fault in the same step is given, so: singly.
            next_id = next_id if count > 1 else _next_readable(connection, next_id)
            count = 1
            continue
        if not rows:
            return
        count = min(BATCH, count * 2)
        frames = []
        for row in rows:
            frame = from_row(row)
            if frame is not None and frame.id >= next_id:
                frames.append(frame)
                next_id = frame.id + 1
        if frames:
            yield frames
        last = rows[-1][0]
        next_id = last + 1 if isinstance(last, int) and last >= next_id else next_id + (not frames)


def _next_readable(connection: sqlite3.Connection, failed_id: int) -> int | None:
    """From where it goes on after an id that cannot be read: ever longer steps, then between the last two."""
    low, step = failed_id, 1
    while _rows(connection, high := failed_id + step, 1) is None:
        low, step = high, step * 2
        if step > LAST_ID:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        if _rows(connection, middle, 1) is None:
            low = middle
        else:
            high = middle
    return high


def _rows(connection: sqlite3.Connection, from_id: int, count: int) -> list[Row] | None:
    try:
        return connection.execute(READ, (from_id, count)).fetchall()
    except DRIVER_ERRORS:
        return None


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _move(path: Path, to: Path) -> None:
    """The log first: beside another file SQLite would take it for that file's."""
    try:
        for suffix in ("-wal", ""):
            if _beside(path, suffix).exists():
                os.replace(_beside(path, suffix), _beside(to, suffix))
        _sync_directory(path.parent)
    except OSError as error:
        raise mapped(error, path) from None


def _remove(path: Path) -> None:
    try:
        for suffix in ("-wal", ""):
            _beside(path, suffix).unlink(missing_ok=True)
    except OSError as error:
        raise mapped(error, path) from None


def _sync_directory(directory: Path) -> None:
    number = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
