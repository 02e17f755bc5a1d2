"""What sources lay down for the loop: in order, bounded, counted where it overflows."""

import asyncio
import threading

import pytest

from ingest.agent.config import Config
from ingest.agent.inbox import MOST_WAITING, Inbox
from ingest.agent.reading import Reading, read_mapping
from schemas.errors import StopError


def reading(number: int) -> Reading:
    return read_mapping({"accuracy_samples": number}, Config(), {})


async def test_what_another_thread_puts_wakes_the_loop() -> None:
    inbox = Inbox(asyncio.get_running_loop())
    putting = threading.Thread(target=lambda: [inbox.put(reading(n)) for n in range(3)])
    putting.start()
    taken = []
    while len(taken) < 3:
        taken += [arrived.reading.readings["accuracy_samples"] for arrived in await inbox.take(10.0)]
    putting.join()
    assert taken == [0.0, 1.0, 2.0]


async def test_the_oldest_overflow_and_are_counted_once() -> None:
    inbox = Inbox(asyncio.get_running_loop())
    for number in range(MOST_WAITING + 5):
        inbox.put(reading(number))
    assert inbox.overflowed() == 5
    assert inbox.overflowed() == 0
    taken = await inbox.take(10.0)
    assert len(taken) == MOST_WAITING
    assert taken[0].reading.readings["accuracy_samples"] == 5.0


async def test_nothing_is_nothing() -> None:
    assert await Inbox(asyncio.get_running_loop()).take(0.001) == []


async def test_what_comes_after_the_end_is_refused_and_not_lost_silently() -> None:
    inbox = Inbox(asyncio.get_running_loop())
    inbox.put(reading(0))
    inbox.close()
    with pytest.raises(StopError, match="nothing more is taken"):
        inbox.put(reading(1))
    assert len(inbox.rest()) == 1
