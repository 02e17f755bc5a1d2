"""The file of checkpoints: the one place outside of the database that the platform itself keeps.

In: lines. Out: the last one that is there. Called by `processors/checkpointing.py`. Whoever wants to be sure copies
the file elsewhere, now and then.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from schemas.canonical import MAX_BYTES
from schemas.checkpoint import Published, decode_published
from schemas.errors import ContractError, RejectError


class CheckpointFile:
    """Opened by one process at a time (`opened`)."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path = path
        self._file = file

    def last(self) -> Published | None:
        """None: it is empty. A line that was cut off by a crash is taken away first."""
        end = self._file.seek(0, os.SEEK_END)
        self._file.seek(max(0, end - 2 * MAX_BYTES))
        tail = self._file.read()
        whole, newline, rest = tail.rpartition(b"\n")
        if rest:
            self._file.truncate(end - len(rest))
        if not newline:
            return None
        try:
            return decode_published(whole.rpartition(b"\n")[2])
        except RejectError as error:
            raise ContractError(f"{self._path}: its last line is no checkpoint ({error.detail})") from None

    def append(self, lines: list[bytes]) -> None:
        """They are on the disk when this returns."""
        self._file.seek(0, os.SEEK_END)
        self._file.write(b"".join(line + b"\n" for line in lines))
        self._file.flush()
        os.fsync(self._file.fileno())


@contextmanager
def opened(path: Path) -> Iterator[CheckpointFile]:
    """Made where it is missing; nobody else has it meanwhile."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield CheckpointFile(path, file)


def last_of(path: Path) -> Published | None:
    """The last line, for who only reads. None: there is no file, or it is empty."""
    if not path.exists():
        return None
    with opened(path) as file:
        return file.last()
