"""Uplink: which frames go to Kafka when. Live first, backlog after and throttled, for as long as the agent runs.

In: frames as they are made (`offer`), and those in the spool. Out: frames that the broker acknowledged leave the
spool. Called by `process.py`. One link after the other (`link.py`), each tried after a random wait (`pace.py`).

Live is a frame that is offered to the broker within LIVE_US of being made. All else in the spool is backlog, and
marked `backfill`: it is stored like any other, and never raises an alarm hours later.
"""

import asyncio
import logging
import random
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from ingest.agent.clocks import mono_us
from ingest.agent.config_file import Setup
from ingest.agent.link import Acknowledgement, Failure, Kind, Link
from ingest.agent.pace import Backoff, Pace
from ingest.agent.record import Spooled
from ingest.throttle import Throttle
from schemas.errors import RejectError
from schemas.frame import FLAG_BACKFILL, decode_frame, encode_frame

LIVE_US = 10_000_000
LIVE_MOST = 1000  # frames that wait to be sent live; what overflows is backlog
UNDER_WAY = 500
BACKLOG_UNDER_WAY = 200  # what a live frame may have before it on the way
BACKLOG_AT_ONCE = 100
CATCHING_UP_S = 0.05
IDLE_S = 1.0

_log = logging.getLogger(__name__)


class State(StrEnum):
    CONNECTING = "connecting"
    ONLINE = "online"
    THROTTLED = "throttled"
    OFFLINE = "offline"
    REFUSED = "refused"
    STOPPED = "stopped"


class Store(Protocol):
    """What is asked of the spool. Frames that it hands out are held: nobody else gets them, none is dropped."""

    @property
    def frames(self) -> int: ...
    def oldest(self, count: int) -> Sequence[Spooled]: ...
    def acknowledge(self, ids: Iterable[int]) -> None: ...
    def give_back(self, ids: Iterable[int]) -> None: ...
    def drop(self, ids: Iterable[int]) -> None: ...


class Live(NamedTuple):
    """A frame that was made a moment ago. It is held."""

    frame: Spooled
    made_us: int


class Uplink:
    """`offer` may be called at any time from the loop; `run` ends after `finish`, with live frames flushed."""

    def __init__(
        self,
        setup: Setup,
        store: Store,
        told: Callable[[Acknowledgement], None],
        chance: Callable[[], float] = random.random,
        make_link: Callable[..., Link] = Link,
    ) -> None:
        self._setup = setup
        self._send = setup.config.send
        self._store = store
        self._told = told
        self._chance = chance
        self._make_link = make_link
        self._backoff = Backoff(self._send.reconnect_most_s)
        self._happened = asyncio.Event()
        self._finishing = False
        self._catching_up = False
        self._ended = asyncio.Event()
        self._live: deque[Live] = deque()
        self._sent_live: dict[int, Live] = {}
        self._sent_backlog: set[int] = set()
        self._acked: list[int] = []
        self._suspects: set[int] = set()  # one of them does not fit: they go one at a time
        self._opened = 0
        self.state = State.CONNECTING
        self.error = ""
        self._throttle = Throttle()

    @property
    def throttled_ms(self) -> int:
        """What Kafka's quota has cost so far."""
        return self._throttle.waited_ms

    @property
    def reconnects(self) -> int:
        return max(0, self._opened - 1)

    def offer(self, frame: Spooled) -> None:
        """A frame that was just made, and that the spool has handed out."""
        self._live.append(Live(frame, mono_us()))
        self._forget_old()
        self._happened.set()

    def finish(self, within_s: float) -> None:
        """Send what is live, then end `run`; at once if Kafka cannot be reached anyway."""
        self._finishing = True
        if self.state in (State.OFFLINE, State.REFUSED):
            self._ended.set()
        asyncio.get_running_loop().call_later(within_s, self._ended.set)
        self._happened.set()

    async def run(self) -> None:
        """Until `finish`. What a broker, the network or a certificate does is waited out (`link.py` says which
        errors these are); any other exception is a fault of ours that no waiting mends: it ends the agent, whose
        frames are in the spool.
        """
        while not (self._ended.is_set() or self._is_finished):
            link = self._make_link(self._setup, self._acknowledge, self._happened.set, self._throttle)
            try:
                await self._unless_ended(self._use(link))
            except Failure as failure:
                self._failed(link, failure)
            finally:
                await link.close()
                self._settle()
                self._take_back()
            if not self._is_finished:
                refused = self.state is State.REFUSED
                await self._unless_ended(asyncio.sleep(self._backoff.failed(self._chance(), refused)))
        self.state = State.STOPPED

    @property
    def _is_finished(self) -> bool:
        return self._finishing and not self._live and not self._sent_live

    async def _use(self, link: Link) -> None:
        """Raises Failure when the link fails."""
        await link.open()
        self._begin()
        await self._serve(link)

    def _begin(self) -> None:
        self._opened += 1
        self.state = State.ONLINE
        _log.info("connected to Kafka at %s", self._setup.kafka)

    async def _serve(self, link: Link) -> None:
        """Until all is finished, or until the link has failed: then raises its Failure."""
        begins_s = time.monotonic() + self._chance() * self._send.backlog_within_s
        pace = Pace(self._send.backlog_frames_per_s, begins_s)
        while link.failure is None:
            self._happened.clear()
            await self._send_live(link)
            if self._is_finished:
                return
            self._settle()
            self._catching_up = not self._finishing and await self._send_backlog(link, pace)
            self._look_at(link)
            with suppress(TimeoutError):
                async with asyncio.timeout(CATCHING_UP_S if self._catching_up else IDLE_S):
                    await self._happened.wait()
        raise link.failure

    async def _send_live(self, link: Link) -> None:
        self._forget_old()
        most = 1 if self._suspects else UNDER_WAY
        while self._live and link.under_way < most and link.failure is None:
            live = self._live.popleft()
            self._sent_live[live.frame.id] = live
            await link.send(live.frame.id, live.frame.value)

    def _forget_old(self) -> None:
        """They come as backlog."""
        oldest_us = mono_us() - LIVE_US
        old = []
        while self._live and (self._live[0].made_us < oldest_us or len(self._live) > LIVE_MOST):
            old.append(self._live.popleft().frame.id)
        if old:
            self._store.give_back(old)

    async def _send_backlog(self, link: Link, pace: Pace) -> bool:
        """Send what may go now; whether more is left."""
        if self._store.frames - link.under_way - len(self._live) <= 0:
            self._forget_suspects(())
            return False
        most = 1 if self._suspects else BACKLOG_UNDER_WAY
        room = min(pace.allowed(time.monotonic()), most - link.under_way, BACKLOG_AT_ONCE)
        if room > 0:
            handed_out = self._store.oldest(room)
            self._forget_suspects(handed_out)
            pace.took(len(handed_out))
            self._sent_backlog.update(frame.id for frame in handed_out)
            for frame in handed_out:
                await self._send_late(link, frame)
        return True

    async def _send_late(self, link: Link, frame: Spooled) -> None:
        try:
            value = as_backfill(frame.value)
        except RejectError as error:
            _log.error("a frame of the spool cannot be read and is dropped: %s", error)
            self._store.drop([frame.id])
            self._sent_backlog.discard(frame.id)
            return
        await link.send(frame.id, value)

    def _look_at(self, link: Link) -> None:
        """Raises Failure when nothing comes back although something is under way."""
        self.state = State.THROTTLED if self._throttle.left_s > 0 else State.ONLINE
        since_us = link.waits_since_us()
        if since_us is not None and mono_us() - since_us > self._send.stuck_s * 1e6:
            raise Failure(Kind.BROKEN, f"Kafka has acknowledged nothing for {self._send.stuck_s:g} s")

    def _acknowledge(self, acknowledged: Acknowledgement) -> None:
        self._acked.append(acknowledged.id)
        self._sent_live.pop(acknowledged.id, None)
        self._sent_backlog.discard(acknowledged.id)
        self._suspects.discard(acknowledged.id)
        self._backoff.succeeded()
        self.error = ""
        self._told(acknowledged)
        if self._live or self._catching_up or self._finishing:
            self._happened.set()  # otherwise the spool hears of it with the next frame

    async def _unless_ended(self, work: Coroutine[Any, Any, None]) -> None:
        """Await `work`; at the end it is cancelled and this returns."""
        working, ending = asyncio.create_task(work), asyncio.create_task(self._ended.wait())
        try:
            await asyncio.wait({working, ending}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            working.cancel()
            ending.cancel()
        with suppress(asyncio.CancelledError):
            await working

    def _settle(self) -> None:
        if self._acked:
            acked, self._acked = self._acked, []
            self._store.acknowledge(acked)

    def _failed(self, link: Link, failure: Failure) -> None:
        self.error = str(failure)
        self.state = State.REFUSED if failure.kind is Kind.REFUSED else State.OFFLINE
        _log.warning("%s; %d frames in the spool", failure, self._store.frames)
        if failure.kind is Kind.UNFIT:
            self._single_out(link.ids_under_way())

    def _single_out(self, ids: set[int]) -> None:
        """One of these cannot be sent, ever. Alone it is dropped, and counted; of several each goes alone."""
        if len(ids) > 1:
            self._suspects |= ids
            return
        self._store.drop(ids)
        self._suspects -= ids
        for id in ids:
            self._sent_live.pop(id, None)
            self._sent_backlog.discard(id)

    def _forget_suspects(self, oldest: Sequence[Spooled]) -> None:
        """Those that the spool has dropped: they are not with us, and older than the oldest that wait."""
        if self._suspects:
            ours = self._sent_live.keys() | self._sent_backlog | {live.frame.id for live in self._live}
            begins = oldest[0].id if oldest else None
            waiting = {id for id in self._suspects if begins is not None and id >= begins}
            self._suspects = waiting | self._suspects & ours

    def _take_back(self) -> None:
        """What was under way live may still be, if it is young: a short interruption makes no backlog."""
        self._store.give_back(self._sent_backlog)
        self._sent_backlog.clear()
        again = [live for _, live in sorted(self._sent_live.items())]
        self._sent_live.clear()
        self._live = deque([*again, *self._live])
        self._forget_old()


def as_backfill(value: bytes) -> bytes:
    """The same frame, marked as sent late."""
    frame = decode_frame(value)
    frame.flags |= FLAG_BACKFILL
    return encode_frame(frame)
