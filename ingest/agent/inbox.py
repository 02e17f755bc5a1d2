"""Where sources lay readings down for the agent's loop: bounded, and never waited for.

In: readings, from the loop itself or from the thread of a control loop. Out: the same in order, to `process.py`.
What overflows is the oldest, and is counted: as readings, and as frames where nothing is left of a period.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
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


class Lost(NamedTuple):
    """Readings; and the periods of which no reading came through, each of which would have been a frame."""

    readings: int
    frames: int


class Inbox:
    """`put` waits for nobody, and does no I/O but waking the loop, at most once until the loop has looked."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, period_us: int, clock_us: Callable[[], int] = mono_us
    ) -> None:
        """`period_us`: of how much time a frame is made. `clock_us` is monotonic."""
        self._loop = loop
        self._period_us = period_us
        self._clock_us = clock_us
        self._arrived = asyncio.Event()
        self._waiting: deque[Arrived] = deque()
        self._woken = False
        self._counting = threading.Lock()
        self._lost = Lost(0, 0)
        self._taken_period = -1
        self._closed = False

    def put(self, reading: Reading) -> None:
        """From any thread. It was measured now. Raises StopError after `close`."""
        if self._closed:
            raise StopError("the agent is ending: nothing more is taken")
        arrived = Arrived(reading, wall_us(), self._clock_us())
        if len(self._waiting) >= MOST_WAITING:
            self._lose_oldest(arrived)
        self._waiting.append(arrived)
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
        if taken:
            self._taken_period = self._period(taken[-1])
        return taken

    def close(self) -> None:
        """Take nothing more: nobody would look at it."""
        self._closed = True

    def abandon(self) -> None:
        """What is there now is lost: nobody makes a frame of it any more."""
        while self._waiting:
            self._lose_oldest(None)

    def lost(self) -> Lost:
        """What was lost since the last call."""
        with self._counting:
            lost, self._lost = self._lost, Lost(0, 0)
        return lost

    def _lose_oldest(self, newest: Arrived | None) -> None:
        """`newest` is about to come. The last of a period takes the frame with it, unless some were taken."""
        with self._counting:
            try:
                period = self._period(self._waiting.popleft())
            except IndexError:  # the loop was faster
                return
            try:
                following: Arrived | None = self._waiting[0]
            except IndexError:
                following = newest
            is_last = following is None or self._period(following) != period
            gone = is_last and period != self._taken_period
            self._lost = Lost(self._lost.readings + 1, self._lost.frames + gone)

    def _period(self, arrived: Arrived) -> int:
        return arrived.mono_us // self._period_us
