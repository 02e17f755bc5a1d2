"""The loop of a replay: sessions to Kafka, at their own times or at today's, paced or as fast as it goes.

In: a mapping, its sessions, a `Sink` and a `Pace`. Out: a `Sent` account. Called by `robovitals replay`.
The wait between one spell of sessions and the next is left out: it can be months.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from ingest.account import Account
from ingest.mapping import Mapping
from ingest.recordings import spell_frames, spells
from ingest.sessions import Session
from schemas.frame import Frame


class Sink(Protocol):
    """Where frames go: `ingest/publish.py`. `flush` waits until all of them are acknowledged."""

    async def send(self, frame: Frame) -> None: ...
    async def flush(self) -> None: ...


class Times(StrEnum):
    """ORIGINAL: as recorded. END_NOW: all moved alike, so that the last row is now. LIVE: each when it is sent."""

    ORIGINAL = "original"
    END_NOW = "end-now"
    LIVE = "live"


@dataclass(frozen=True, slots=True)
class Pace:
    """`speed` is recorded seconds a second; None is as fast as it goes."""

    times: Times
    speed: float | None

    def due_us(self, time_us: int, spell_first_us: int, began_us: int) -> int | None:
        """When a frame is to be sent, `began_us` being when its spell began; None: at once."""
        if self.speed is None:
            return None
        return began_us + round((time_us - spell_first_us) / self.speed)


@dataclass(slots=True)
class Span:
    """What was sent of one robot and boot: how many frames, and their first and last event time."""

    frames: int
    first_us: int
    last_us: int


@dataclass(slots=True)
class Sent:
    """What a replay has sent: the account of its readings, and each (robot, boot id) with its span."""

    account: Account = field(default_factory=Account)
    spans: dict[tuple[str, int], Span] = field(default_factory=dict)

    def take(self, robot_id: str, boot_id: int, time_us: int) -> None:
        span = self.spans.get((robot_id, boot_id))
        if span is None:
            self.spans[robot_id, boot_id] = Span(1, time_us, time_us)
            return
        span.frames += 1
        span.first_us, span.last_us = min(span.first_us, time_us), max(span.last_us, time_us)


async def replay(
    mapping: Mapping,
    sessions: Sequence[Session],
    pace: Pace,
    publisher: Sink,
    progress: Callable[[Sent, Session], None],
    now_us: Callable[[], int] = lambda: time.time_ns() // 1000,
) -> Sent:
    """Send all sessions, oldest first, and wait until they are acknowledged. Raises RetryError."""
    sent = Sent()
    shift_us = now_us() - max(session.last_us for session in sessions) if pace.times is Times.END_NOW else 0
    for spell in spells(sessions):
        first_us, began_us = min(session.first_us for session in spell), now_us()
        for frame in spell_frames(mapping, spell, sent.account):
            due_us = pace.due_us(frame.time_us, first_us, began_us)
            if due_us is not None and (early_us := due_us - now_us()) > 0:
                await asyncio.sleep(early_us / 1e6)
            if pace.times is Times.LIVE and due_us is not None:
                frame.time_us = due_us
            else:
                frame.time_us += shift_us
            await publisher.send(frame)
            sent.take(frame.robot_id, frame.boot_id, frame.time_us)
            if sent.account.frames % 500 == 1:
                progress(sent, spell[0])
    await publisher.flush()
    return sent
