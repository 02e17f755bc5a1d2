"""Where sources lay readings down for the agent's loop: bounded, and never waited for.

In: readings, from the loop itself or from the thread of a control loop. Out: the same in order, to `process.py`.
What overflows is the oldest, and is counted: it is reported as dropped.
"""

import asyncio
import threading
from collections import deque
from contextlib import suppress
from typing import NamedTuple

from ingest.agent.clocks import mono_us, wall_us
from ingest.agent.reading import Reading
from schemas.errors import StopError

MOST_WAITING = 4096


class Arrived(NamedTuple):
    """A reading, and what both clocks said then."""

    reading: Reading
    wall_us: int
    mono_us: int


class Inbox:
    """`put` waits for nobody, and does no I/O but waking the loop, at most once until the loop has looked."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._arrived = asyncio.Event()
        self._waiting: deque[Arrived] = deque()
        self._woken = False
        self._counting = threading.Lock()
        self._overflowed = 0
        self._closed = False

    def put(self, reading: Reading) -> None:
        """From any thread. It was measured now. Raises StopError after `close`."""
        if self._closed:
            raise StopError("the agent is ending: nothing more is taken")
        if len(self._waiting) >= MOST_WAITING:
            with self._counting, suppress(IndexError):  # the loop may have been faster
                self._waiting.popleft()
                self._overflowed += 1
        self._waiting.append(Arrived(reading, wall_us(), mono_us()))
        if not self._woken:
            self._woken = True
            self._loop.call_soon_threadsafe(self._arrived.set)

    async def take(self, timeout_s: float) -> list[Arrived]:
        """All that is there; waits for the first one for `timeout_s` at most."""
        if not self._waiting:
            try:
                async with asyncio.timeout(timeout_s):
                    await self._arrived.wait()
            except TimeoutError:
                return []
        self._arrived.clear()
        self._woken = False
        return self.rest()

    def rest(self) -> list[Arrived]:
        """All that is there now."""
        taken = []
        while self._waiting:
            taken.append(self._waiting.popleft())
        return taken

    def close(self) -> None:
        """Take nothing more: nobody would look at it."""
        self._closed = True

    def overflowed(self) -> int:
        """How many were lost since the last call."""
        with self._counting:
            lost, self._overflowed = self._overflowed, 0
        return lost
