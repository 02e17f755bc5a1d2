"""A file that grows, is rotated away or cut off, as `tail -F` reads it.

In: a path, asked again and again. Out: whole lines, each once. Called by `sources.py`. A line is taken when its end
is there: half a line waits. Where the path names another file, the old one is read to its end first.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ingest.agent.reading import MAX_LINE_BYTES

_PIECE = 256 * 1024


class Tail:
    """`read()` gives what is new. What was in the file at the first look is old, and left out."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: BinaryIO | None = None
        self._rest = b""
        self._at = 0
        self._looked = False

    def read(self) -> Iterator[bytes]:
        """Whole lines, without blank ones."""
        if self._file is None and not self._open():
            self._looked = True
            return
        yield from self._new()
        if self._is_another():
            yield from self._new()  # what was written between the last look and the rotation
            if self._rest.strip():
                yield self._rest  # nobody ends this line any more; half of one is told as wrong
            self.close()
            if self._open():
                yield from self._new()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file, self._rest, self._at = None, b"", 0

    def _open(self) -> bool:
        try:
            self._file = self.path.open("rb", buffering=0)
        except OSError:
            return False
        self._at = 0 if self._looked else self._file.seek(0, os.SEEK_END)
        self._looked = True
        return True

    def _new(self) -> Iterator[bytes]:
        assert self._file is not None
        if os.fstat(self._file.fileno()).st_size < self._at:  # cut off: it begins anew
            self._at, self._rest = self._file.seek(0), b""
        while piece := self._file.read(_PIECE):
            self._at += len(piece)
            *lines, self._rest = (self._rest + piece).split(b"\n")
            yield from (line for line in lines if line.strip())
            if len(self._rest) > 2 * MAX_LINE_BYTES:
                yield self._rest  # no line of ours: it is told as too long
                self._rest = b""

    def _is_another(self) -> bool:
        assert self._file is not None
        try:
            now = self.path.stat()
        except OSError:
            return False  # rotated away, and not made anew yet
        ours = os.fstat(self._file.fileno())
        return (now.st_dev, now.st_ino) != (ours.st_dev, ours.st_ino)
