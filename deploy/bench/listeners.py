"""Pages without a browser: many clients of the live stream, and how late each hears what was sent.

In: where the server is, tokens to take in turns, how many. Out: for each probe that arrived at a client the time
that it took, and how many did not. Called by `page.py`. A probe is an anomaly whose episode's id is `probe-N`.
"""

import asyncio
import re
import time
from collections.abc import Sequence
from contextlib import suppress

import aiohttp

_MARK = b'"episode_id":"probe-'
_ID = re.compile(rb"^id: (\S+)\n", re.MULTILINE)
_LONGEST_ID = 20


class Listeners:
    """`sent_s` is filled by whoever sends: monotonic times by probe."""

    def __init__(self, url: str, tokens: Sequence[str], clients: int) -> None:
        self._url = url
        self._tokens = tokens
        self.clients = clients
        self.sent_s: dict[int, float] = {}
        self.took_s: list[float] = []
        self.received_bytes = 0
        self._heard: set[int] = set()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Returns when all of them hear the stream."""
        connector = aiohttp.TCPConnector(limit=0)
        timeout = aiohttp.ClientTimeout(total=None, sock_read=30)
        self._session = aiohttp.ClientSession(connector=connector, timeout=timeout)
        ready = [asyncio.Event() for _ in range(self.clients)]
        self._tasks = [asyncio.create_task(self._listen(number, ready[number])) for number in range(self.clients)]
        async with asyncio.timeout(60):
            await asyncio.gather(*(event.wait() for event in ready))

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        await self._session.close()

    @property
    def missing(self) -> int:
        """Probes times clients that did not hear of them."""
        return len(self.sent_s) * self.clients - len(self.took_s)

    async def _listen(self, number: int, ready: asyncio.Event) -> None:
        """As a page does: where the server ends the stream, which it does now and then, it goes on from there."""
        headers = {"Authorization": f"Bearer {self._tokens[number % len(self._tokens)]}"}
        while True:
            async with self._session.get(f"{self._url}/api/v1/stream", headers=headers) as response:
                response.raise_for_status()
                rest = b""
                async for chunk in response.content.iter_any():
                    ready.set()
                    self.received_bytes += len(chunk)
                    for last in _ID.findall(rest + chunk):
                        headers["Last-Event-ID"] = last.decode()
                    rest = self._hear(rest + chunk, time.monotonic())

    def _hear(self, text: bytes, now_s: float) -> bytes:
        """Returns what may be the beginning of a probe."""
        at = 0
        while (found := text.find(_MARK, at)) >= 0:
            begin = found + len(_MARK)
            end = text.find(b'"', begin)
            if end < 0:
                return text[found:]
            self.took_s.append(now_s - self.sent_s[int(text[begin:end])])
            at = end
        return text[max(at, len(text) - len(_MARK)) :]
