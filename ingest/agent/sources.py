"""Where readings come from: standard input, a Unix socket, or a file that somebody else writes.

In: bytes of NDJSON. Out: each line to `take`, which says what is wrong with it or nothing. Called by `process.py`.
A line that cannot be read costs that line only: its writer is told, by an error line on the socket, by the log
elsewhere. A source that ends (standard input) ends the agent, once everything is sent.
"""

import asyncio
import logging
import os
import stat
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import msgspec

from ingest.agent.reading import MAX_LINE_BYTES
from ingest.agent.tail import Tail
from schemas.errors import SettingError

Take = Callable[[bytes], str | None]  # a line; what is wrong with it

MOST_WRITERS = 64
LOOK_EVERY_S = 0.1

_log = logging.getLogger(__name__)


class LineSource(Protocol):
    async def run(self, take: Take) -> None:
        """Until the source ends, or for ever: then it is cancelled. Raises SettingError."""
        ...


class Stdin:
    """Ends with its input."""

    async def run(self, take: Take) -> None:
        reader = asyncio.StreamReader(limit=2 * MAX_LINE_BYTES)
        loop = asyncio.get_running_loop()
        mode = os.fstat(sys.stdin.fileno()).st_mode
        # A file cannot be waited for, nor can /dev/null, which a service has where nobody gives it an input.
        if stat.S_ISREG(mode) or (stat.S_ISCHR(mode) and not sys.stdin.isatty()):
            await _lines_of_file(take)
            return
        transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        try:
            await _each_line(reader, _logging(take, "standard input"))
        finally:
            transport.close()


class Socket:
    """A Unix socket for any number of writers; each hears of its own mistakes, one line `{"error": …}` each."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writers: set[asyncio.Task[None]] = set()

    async def run(self, take: Take) -> None:
        await self._free()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        try:
            server = await asyncio.start_unix_server(
                lambda reader, writer: self._serve(reader, writer, take), self._path, limit=2 * MAX_LINE_BYTES
            )
        except OSError as error:
            raise SettingError(f"source.path {self._path}: {error.strerror}") from None
        self._path.chmod(0o660)  # the robot's software may be another user of the same group
        try:
            await asyncio.Event().wait()
        finally:
            # Not by `async with server`: from Python 3.12 on that waits until every writer has gone by itself.
            server.close()
            for writer in self._writers:
                writer.cancel()
            self._path.unlink(missing_ok=True)

    async def _free(self) -> None:
        """Take away what an agent that was killed left behind. Raises SettingError if somebody answers there."""
        if not self._path.exists():
            return
        if not stat.S_ISSOCK(self._path.stat().st_mode):
            raise SettingError(f"source.path {self._path} is there already, and is no socket")
        try:
            _, writer = await asyncio.open_unix_connection(self._path)
        except OSError:
            self._path.unlink(missing_ok=True)
            return
        writer.close()
        raise SettingError(f"source.path {self._path}: another agent listens there")

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, take: Take) -> None:
        def told(line: bytes) -> str | None:
            if (wrong := take(line)) is not None and writer.transport.get_write_buffer_size() < MAX_LINE_BYTES:
                writer.write(msgspec.json.encode({"error": wrong}) + b"\n")
            return wrong

        if len(self._writers) >= MOST_WRITERS:
            writer.write(msgspec.json.encode({"error": f"{MOST_WRITERS} writers are connected already"}) + b"\n")
            writer.close()
            return
        task = asyncio.current_task()
        assert task is not None
        self._writers.add(task)
        try:
            with suppress(OSError, asyncio.CancelledError):
                await _each_line(reader, told)
        finally:
            self._writers.remove(task)
            writer.close()


class Followed:
    """A file that grows, as `tail -F` reads it: from its end at first, and whole where it was made anew."""

    def __init__(self, path: Path) -> None:
        self._tail = Tail(path)

    async def run(self, take: Take) -> None:
        logged = _logging(take, str(self._tail.path))
        try:
            while True:
                for line in self._tail.read():
                    logged(line)
                await asyncio.sleep(LOOK_EVERY_S)
        finally:
            self._tail.close()


async def _each_line(reader: asyncio.StreamReader, take: Take) -> None:
    """Until the end. A line beyond the limit is skipped to its end, and told once."""
    too_long = False
    while True:
        try:
            line = await reader.readuntil(b"\n")
        except asyncio.LimitOverrunError as error:
            await reader.readexactly(error.consumed)
            too_long = True
            continue
        except asyncio.IncompleteReadError as error:
            line = error.partial
        if too_long:
            take(b" " * (MAX_LINE_BYTES + 1))
        elif line.strip():
            take(line)
        if not line.endswith(b"\n"):
            return
        too_long = False


async def _lines_of_file(take: Take) -> None:
    """`robovitals agent < readings.ndjson`."""
    logged = _logging(take, "standard input")
    for line in sys.stdin.buffer:
        if line.strip():
            logged(line)
        await asyncio.sleep(0)


def _logging(take: Take, name: str) -> Take:
    """With the number of the line, since nobody else knows which one it was."""
    number = 0

    def told(line: bytes) -> str | None:
        nonlocal number
        number += 1
        if (wrong := take(line)) is not None:
            _log.warning("%s, line %d: %s", name, number, wrong)
        return wrong

    return told
