"""A bad network between one robot and its broker: a TCP proxy that delays, throttles, resets and falls silent.

In: the broker's port. Out: a port of its own, for as long as it is open. Called by `faults/agent_robot.py`, from a
thread: the proxy runs in an event loop of its own. What a network loses, TCP sends again: what is left of loss is
delay, an end without a word, and a connection that stays open and over which nothing comes any more.
"""

import asyncio
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

PIECE = 16 * 1024
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: what is closed is reset


@dataclass(eq=False)
class _Way:
    """One connection of the agent, and ours to the broker for it. `silent`: nothing passes, either way."""

    ends: list[asyncio.StreamWriter] = field(default_factory=list)
    silent: bool = False

    def reset(self) -> None:
        for end in self.ends:
            raw: socket.socket | None = end.get_extra_info("socket")
            if raw is not None:
                with suppress(OSError):
                    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            end.transport.abort()


class Network:
    """`delay_s` and `bytes_per_s` hold each way from now on. `deaf` delivers what the agent sends and none of the
    answers: what the broker took, the robot must send again.
    """

    def __init__(self, broker_port: int) -> None:
        self.delay_s = 0.0
        self.bytes_per_s = 1e9
        self.deaf = False
        self.ended = 0  # connections that we have reset or silenced
        self._broker_port = broker_port
        self._ways: set[_Way] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="network", daemon=True)
        self._thread.start()
        opened = asyncio.run_coroutine_threadsafe(asyncio.start_server(self._serve, "127.0.0.1", 0), self._loop)
        self._server = opened.result()
        self.port: int = self._server.sockets[0].getsockname()[1]

    def reset(self) -> None:
        """Every connection ends at once, without a word."""
        self._each(_Way.reset)

    def fall_silent(self) -> None:
        """Every connection stays as it is, and nothing comes over it any more. New ones are as before."""

        def silence(way: _Way) -> None:
            way.silent = True

        self._each(silence)

    def close(self) -> None:
        async def end() -> None:
            self._server.close()
            for way in self._ways:
                way.reset()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _each(self, do: Callable[[_Way], None]) -> None:
        async def each() -> None:
            for way in [way for way in self._ways if not way.silent]:
                do(way)
                self.ended += 1

        asyncio.run_coroutine_threadsafe(each(), self._loop).result()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        way = _Way([writer])
        try:
            from_broker, to_broker = await asyncio.open_connection("127.0.0.1", self._broker_port)
        except OSError:
            way.reset()
            return
        way.ends.append(to_broker)
        self._ways.add(way)
        try:
            passing = [
                asyncio.create_task(self._pass(way, reader, to_broker, is_answer=False)),
                asyncio.create_task(self._pass(way, from_broker, writer, is_answer=True)),
            ]
            await asyncio.wait(passing, return_when=asyncio.FIRST_COMPLETED)
            for task in passing:
                task.cancel()
        finally:
            self._ways.discard(way)
            for end in way.ends:
                end.close()

    async def _pass(
        self, way: _Way, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, is_answer: bool
    ) -> None:
        with suppress(OSError):
            while piece := await reader.read(PIECE):
                await asyncio.sleep(self.delay_s + len(piece) / self.bytes_per_s)
                if way.silent or (is_answer and self.deaf):
                    continue
                writer.write(piece)
                await writer.drain()
