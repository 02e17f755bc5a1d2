"""A small TCP proxy between the lander and the database, which can cut a connection between COMMIT and its answer.

In: the database's port. Out: a port of its own. `cut` arms it: the next COMMIT that passes is delivered, and its
answer is not. Called by `faults/world.py`; runs in the round's own event loop.
"""

import asyncio
from contextlib import suppress

# A simple query, as asyncpg sends it. An extended one would hold the word too.
COMMIT = b"COMMIT"
PIECE = 256 * 1024


class Proxy:
    def __init__(self, port: int) -> None:
        self._database_port = port
        self._server: asyncio.Server | None = None
        self._armed: asyncio.Event | None = None
        self.port = 0

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()

    async def cut(self, timeout_s: float) -> bool:
        """Cut the next COMMIT off from its answer; whether one came in time."""
        self._armed = asyncio.Event()
        try:
            await asyncio.wait_for(self._armed.wait(), timeout_s)
        except TimeoutError:
            self._armed = None
            return False
        return True

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            database = await asyncio.open_connection("127.0.0.1", self._database_port)
        except OSError:
            writer.close()
            return
        cut = asyncio.Event()
        back = asyncio.create_task(self._back(database[0], writer, cut))
        try:
            await self._forth(reader, database[1], cut)
        finally:
            for end in (writer, database[1]):
                end.close()
            await asyncio.wait({back}, timeout=5)

    async def _forth(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, cut: asyncio.Event) -> None:
        with suppress(OSError):
            while piece := await reader.read(PIECE):
                if self._armed is not None and COMMIT in piece[:64]:
                    cut.set()
                writer.write(piece)
                await writer.drain()
                if cut.is_set():
                    await asyncio.sleep(0.2)  # the database does its COMMIT
                    armed, self._armed = self._armed, None
                    if armed is not None:
                        armed.set()
                    return

    async def _back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, cut: asyncio.Event) -> None:
        with suppress(OSError):
            while piece := await reader.read(PIECE):
                if cut.is_set():
                    return
                writer.write(piece)
                await writer.drain()
        writer.close()
