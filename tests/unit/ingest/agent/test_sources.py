"""Where readings come from: several writers of a socket, a followed file, and what each hears of its mistakes."""

import asyncio
import io
import json
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from ingest.agent.reading import MAX_LINE_BYTES
from ingest.agent.sources import Followed, LineSource, Socket, Stdin
from schemas.errors import SettingError

TAKEN_WITHIN_S = 20.0


class Taken(list[bytes]):
    """Every line but those that begin with `bad`."""

    def __init__(self) -> None:
        self.more = asyncio.Event()

    def take(self, line: bytes) -> str | None:
        if line.startswith(b"bad") or len(line) > MAX_LINE_BYTES:
            return f"{line[:10].decode().strip()} is wrong"
        self.append(line.strip())
        self.more.set()
        return None

    async def of(self, count: int) -> list[bytes]:
        async with asyncio.timeout(TAKEN_WITHIN_S):
            while len(self) < count:
                self.more.clear()
                await self.more.wait()
        return sorted(self)


@asynccontextmanager
async def running(source: LineSource, taken: Taken) -> AsyncIterator[None]:
    task = asyncio.create_task(source.run(taken.take))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def listens(path: Path) -> bool:
    """Its mode is set last."""
    return path.exists() and stat.S_IMODE(path.stat().st_mode) == 0o660


async def connected(path: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    async with asyncio.timeout(TAKEN_WITHIN_S):
        while not listens(path):
            await asyncio.sleep(0.01)
    return await asyncio.open_unix_connection(path)


async def test_two_writers_are_heard_and_only_the_one_at_fault_is_told(tmp_path: Path) -> None:
    taken, path = Taken(), tmp_path / "readings.sock"
    async with running(Socket(path), taken):
        good_reader, good = await connected(path)
        bad_reader, bad = await connected(path)
        good.write(b"a1\na2\n")
        bad.write(b"b1\nbad line\nb2\n" + b"x" * (3 * MAX_LINE_BYTES) + b"\nb3\nb4")
        bad.write_eof()
        assert await taken.of(6) == [b"a1", b"a2", b"b1", b"b2", b"b3", b"b4"]
        errors = [json.loads(line)["error"] async for line in bad_reader]
        assert errors == ["bad line is wrong", " is wrong"]
        good.write_eof()
        assert await good_reader.read() == b""
        for writer in (good, bad):
            writer.close()
            await writer.wait_closed()
    assert not path.exists()


async def test_a_socket_that_a_killed_agent_left_behind_is_taken_over_and_a_live_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / "readings.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
        left.listen()
        with pytest.raises(SettingError, match="another agent listens there"):
            await Socket(path).run(lambda line: None)
    taken = Taken()
    async with running(Socket(path), taken):
        _, writer = await connected(path)
        writer.write(b"one\n")
        assert await taken.of(1) == [b"one"]
        writer.close()


async def test_a_file_that_is_no_socket_is_not_taken_away(tmp_path: Path) -> None:
    path = tmp_path / "readings.sock"
    path.write_text("precious")
    with pytest.raises(SettingError, match="is no socket"):
        await Socket(path).run(lambda line: None)
    assert path.read_text() == "precious"


async def test_a_followed_file_gives_what_is_written_to_it_and_says_which_line_is_bad(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, taken = tmp_path / "readings", Taken()
    path.write_bytes(b"")
    async with running(Followed(path), taken):
        await asyncio.sleep(0)
        path.write_bytes(b"one\nbad\ntwo\n")
        assert await taken.of(2) == [b"one", b"two"]
    assert "line 2: bad is wrong" in caplog.text


async def test_a_writer_that_stays_connected_neither_keeps_the_agent_nor_is_heard_after_the_end(
    tmp_path: Path,
) -> None:
    taken, path = Taken(), tmp_path / "readings.sock"
    async with running(Socket(path), taken):
        reader, writer = await connected(path)
        writer.write(b"one\n")
        assert await taken.of(1) == [b"one"]
    writer.write(b"two\n")
    async with asyncio.timeout(TAKEN_WITHIN_S):
        with suppress(ConnectionError):
            assert await reader.read() == b""
    writer.close()
    assert taken == [b"one"]


def test_an_input_that_is_nothing_ends_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = Taken()
    with Path("/dev/null").open("rb") as nothing, io.TextIOWrapper(nothing) as text:
        monkeypatch.setattr("sys.stdin", text)
        asyncio.run(asyncio.wait_for(Stdin().run(taken.take), TAKEN_WITHIN_S))
    assert taken == []
