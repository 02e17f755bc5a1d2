"""The exports that are under way on this server, and how those of the last minutes have ended.

In: what somebody takes away, and how far that is. Out: lines for its owner, who can end it. Called by
`serve/routes/export.py`; times come in. An export ends at the latest after LASTS_S, or when its reader takes less
than a piece in TAKEN_WITHIN_S: whoever hardly reads must not hold a connection and a snapshot of the database for
ever.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from serve.export import Export, Format, Progress, What
from serve.people import Person
from serve.visits import Visits

AT_ONCE = 3
"""Each holds a connection of the pool; the page needs the others."""
A_PERSON = 2
LASTS_S = 3600.0
TAKEN_WITHIN_S = 30.0
PIECE_BYTES = 256 * 1024
KEPT_FOR = timedelta(minutes=10)
EXPORT = "export"


class State(StrEnum):
    """How it is, or how it has ended."""

    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    TOO_SLOW = "too_slow"
    TOO_LONG = "too_long"
    LEFT = "left"
    REVOKED = "revoked"
    FAILED = "failed"


class ExportLine(msgspec.Struct, frozen=True, kw_only=True):
    """One export of the asker's. `share`: how far it is, 0..1. Its file is whole only where `state` is `done`."""

    id: str
    table: What
    format: Format
    state: State
    began: datetime
    ended: datetime | None
    robots: int
    done: int
    rows: int
    bytes: int
    share: float


class Taking:
    """One export. `send_within` says how long the next piece may take, inside of `limited`."""

    def __init__(self, person: Person, asked: Export, robots: int, now: datetime) -> None:
        self.id = uuid.uuid4().hex[:12]
        self.person = person
        self.asked = asked
        self.began = now
        self.ended: datetime | None = None
        self.state = State.RUNNING
        self.progress = Progress(0, robots, 0, 0.0)
        self.bytes = 0
        self._limit: asyncio.Timeout | None = None
        self._until_s = 0.0

    def told(self, progress: Progress) -> None:
        self.progress = progress

    def stop(self, state: State) -> None:
        """From wherever: what runs inside of `limited` gets a TimeoutError."""
        if self.state is State.RUNNING:
            self.state = state
            if self._limit is not None:
                self._limit.reschedule(asyncio.get_running_loop().time())

    def send_within(self, seconds: float) -> None:
        """From now on, and at most until the whole may take no longer."""
        assert self._limit is not None
        if self.state is State.RUNNING:  # whoever has been stopped stays so
            self._limit.reschedule(min(asyncio.get_running_loop().time() + seconds, self._until_s))

    @asynccontextmanager
    async def limited(self) -> AsyncIterator[None]:
        """Raises TimeoutError when its time is over, or somebody has stopped it."""
        self._until_s = asyncio.get_running_loop().time() + LASTS_S
        async with asyncio.timeout_at(self._until_s) as self._limit:
            try:
                yield
            finally:
                self._limit = None

    def ran_out(self) -> State:
        """Why a TimeoutError came."""
        if self.state is not State.RUNNING:
            return self.state
        return State.TOO_LONG if asyncio.get_running_loop().time() >= self._until_s else State.TOO_SLOW

    def line(self) -> ExportLine:
        return ExportLine(
            id=self.id, table=self.asked.what, format=self.asked.format, state=self.state, began=self.began,
            ended=self.ended, robots=self.progress.robots, done=self.progress.done, rows=self.progress.rows,
            bytes=self.bytes, share=round(self.progress.share, 4),
        )  # fmt: skip


class Exports:
    """Those of one server."""

    def __init__(self, visits: Visits) -> None:
        self._visits = visits
        self._takings: list[Taking] = []

    def refusal(self, person: Person) -> str:
        """Why this person may not begin one now; empty where they may."""
        if self._visits.count(EXPORT) >= AT_ONCE:
            return f"{AT_ONCE} exports are under way: try again"
        if self._visits.count(EXPORT, person.name) >= A_PERSON:
            return f"{A_PERSON} exports of {person.name} are under way: wait for one, or end it"
        return ""

    @contextmanager
    def running(self, taking: Taking) -> Iterator[None]:
        """One more, listed from now on. It ends when its person may not see any more what it holds."""
        self._takings.append(taking)
        with self._visits.enter(taking.person, EXPORT, lambda: taking.stop(State.REVOKED)):
            yield

    def of(self, person: Person, now: datetime) -> list[ExportLine]:
        """This person's, the newest first."""
        self._takings = [one for one in self._takings if one.ended is None or now - one.ended < KEPT_FOR]
        return [one.line() for one in reversed(self._takings) if _same(one.person, person)]

    def cancel(self, person: Person, id: str) -> ExportLine | None:
        """None: this person has no such export."""
        for taking in self._takings:
            if taking.id == id and _same(taking.person, person):
                taking.stop(State.CANCELLED)
                return taking.line()
        return None


def _same(one: Person, other: Person) -> bool:
    """By name, and by what they may see: names are not unique."""
    return (one.name, one.role, one.fleets) == (other.name, other.role, other.fleets)
