"""What sources lay down for the loop: in order, bounded, counted where it overflows."""

import asyncio
import itertools
import threading

import pytest

from ingest.agent.config import Config
from ingest.agent.inbox import MOST_WAITING, Inbox, Lost
from ingest.agent.reading import Reading, read_mapping
from schemas.errors import StopError

PERIOD_US = 1000


def reading(number: int) -> Reading:
    return read_mapping({"accuracy_samples": number}, Config(), {})


def ticking(step_us: int) -> Inbox:
    """Its clock goes on by so much with each reading."""
    ticks = itertools.count(0, step_us)
    return Inbox(asyncio.get_running_loop(), PERIOD_US, lambda: next(ticks))


async def test_what_another_thread_puts_wakes_the_loop() -> None:
    inbox = Inbox(asyncio.get_running_loop(), PERIOD_US)
    putting = threading.Thread(target=lambda: [inbox.put(reading(n)) for n in range(3)])
    putting.start()
    taken = []
    while len(taken) < 3:
        taken += [arrived.reading.readings["accuracy_samples"] for arrived in await inbox.take(10.0)]
    putting.join()
    assert taken == [0.0, 1.0, 2.0]


async def test_the_oldest_overflow_and_are_counted_once() -> None:
    inbox = ticking(PERIOD_US)
    for number in range(MOST_WAITING + 5):
        inbox.put(reading(number))
    assert inbox.lost() == Lost(readings=5, frames=5)
    assert inbox.lost() == Lost(0, 0)
    taken = await inbox.take(10.0)
    assert len(taken) == MOST_WAITING
    assert taken[0].reading.readings["accuracy_samples"] == 5.0


async def test_lost_readings_cost_a_frame_only_where_nothing_is_left_of_its_period() -> None:
    inbox = ticking(PERIOD_US // 10)
    for number in range(MOST_WAITING + 25):
        inbox.put(reading(number))
    assert inbox.lost() == Lost(readings=25, frames=2)


async def test_a_period_that_was_begun_before_its_rest_was_lost_has_its_frame() -> None:
    inbox = ticking(PERIOD_US // 10)
    inbox.put(reading(0))
    assert len(inbox.rest()) == 1
    for number in range(1, MOST_WAITING + 15):
        inbox.put(reading(number))
    assert inbox.lost() == Lost(readings=14, frames=0)


async def test_what_is_abandoned_at_the_end_is_lost() -> None:
    inbox = ticking(PERIOD_US)
    for number in range(3):
        inbox.put(reading(number))
    inbox.abandon()
    assert inbox.lost() == Lost(readings=3, frames=3)
    assert inbox.rest() == []


async def test_nothing_is_nothing() -> None:
    assert await ticking(1).take(0.001) == []


async def test_what_comes_after_the_end_is_refused_and_not_lost_silently() -> None:
    inbox = ticking(1)
    inbox.put(reading(0))
    inbox.close()
    with pytest.raises(StopError, match="nothing more is taken"):
        inbox.put(reading(1))
    assert len(inbox.rest()) == 1
