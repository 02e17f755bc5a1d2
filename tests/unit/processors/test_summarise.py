"""The loop of the summariser over a Kafka that the test holds in its hand: what is committed, and when."""

import asyncio
import time
from collections import deque

import pytest
from aiokafka.errors import KafkaError
from prometheus_client import CollectorRegistry

from processors.inlet import Standing
from processors.summarise import Summariser, SummariseSettings, ended
from processors.summarise_metrics import SummariseMetrics
from schemas.errors import StopError
from schemas.kafka import Kafka
from schemas.limits import Limits
from schemas.vitals import PROVISIONAL, Vitals
from support.windows import RULE, START_US, S, Sent, records

PARTITION = 3


class Inlet:
    """Hands out what the test has put into `waiting`, and keeps what is committed."""

    def __init__(self) -> None:
        self.unpositioned = {PARTITION}
        self.waiting = deque()
        self.committed = []
        self.all_is_read = False

    async def take_up(self, rule):
        self.unpositioned.clear()
        return {PARTITION: (0, None)}

    async def poll(self):
        return {PARTITION: self.waiting.popleft()} if self.waiting else {}

    async def standing(self, partition):
        if self.all_is_read:
            return Standing(lag_records=0, polled_ms=int(time.time() * 1000))
        return Standing(lag_records=1, polled_ms=0)

    async def commit(self, checkpoints):
        self.committed.append(checkpoints[PARTITION][0])


class Outlet:
    """Takes messages and acknowledges none by itself. While `full` is set, it has no room."""

    def __init__(self) -> None:
        self.messages = []
        self.sent = []
        self.room = asyncio.Event()
        self.room.set()

    async def send(self, partition, messages):
        await self.room.wait()
        futures = [asyncio.get_running_loop().create_future() for _ in messages]
        self.messages += messages
        self.sent += futures
        return futures

    def acknowledge(self) -> None:
        for future in self.sent:
            if not future.done():
                future.set_result(None)


class Loop:
    """A summariser whose turns and housekeeping the test takes one by one."""

    def __init__(self) -> None:
        settings = SummariseSettings(kafka=Kafka("127.0.0.1:1"), database_url="", rule=RULE, limits=Limits())
        self.registry = CollectorRegistry()
        self.process = Summariser(settings, SummariseMetrics.create(self.registry))
        self.inlet = self.process._inlet = Inlet()
        self.outlet = self.process._outlet = Outlet()
        self._offset = 0

    async def feed(self, *sent: Sent) -> None:
        self.inlet.waiting.append(records(sent, self._offset))
        self._offset += len(sent)
        await self.process._turn()

    def some_time_goes_by(self) -> None:
        for assigned in self.process._assigned.values():
            assigned.quiet_since_s -= 60

    def told(self) -> list[Vitals]:
        return [message for message in self.outlet.messages if isinstance(message, Vitals)]

    def housekeeping(self) -> asyncio.Task[None]:
        return asyncio.create_task(self.process._keep_house())

    def gauge(self, name: str) -> float | None:
        return self.registry.get_sample_value(f"robovitals_summarise_{name}")


async def some_turns_of_the_event_loop() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_reading_goes_on_while_messages_are_not_acknowledged():
    loop = Loop()
    await loop.feed(Sent(), Sent(time_us=16 * S, seq=1))
    await loop.feed(Sent(time_us=26 * S, seq=2))
    assert [type(message) for message in loop.outlet.messages] == [Vitals, Vitals]
    assert loop.gauge("unacknowledged_messages") == 2
    loop.outlet.acknowledge()
    await loop.feed(Sent(time_us=27 * S, seq=3))
    assert loop.gauge("unacknowledged_messages") == 0


async def test_a_commit_waits_until_all_that_was_sent_is_acknowledged():
    loop = Loop()
    await loop.feed(Sent(), Sent(time_us=16 * S, seq=1), Sent(time_us=17 * S, seq=2))
    keeping = loop.housekeeping()
    await some_turns_of_the_event_loop()
    assert loop.inlet.committed == []
    loop.outlet.acknowledge()
    await keeping
    assert loop.inlet.committed == [1]


async def test_giving_partitions_up_commits_nothing_of_a_batch_that_is_not_all_handed_over():
    loop = Loop()
    await loop.feed(Sent())
    loop.outlet.room.clear()
    turn = asyncio.create_task(loop.feed(Sent(time_us=16 * S, seq=1)))
    await some_turns_of_the_event_loop()
    await loop.process._leave()
    assert loop.inlet.committed == []
    loop.outlet.room.set()
    await turn


async def test_giving_partitions_up_commits_nothing_that_came_while_it_waited():
    loop = Loop()
    await loop.feed(Sent(), Sent(time_us=16 * S, seq=1))
    leaving = asyncio.create_task(loop.process._leave())
    await some_turns_of_the_event_loop()
    first = list(loop.outlet.sent)
    await loop.feed(Sent(time_us=26 * S, seq=2))
    for future in first:
        future.set_result(None)
    await leaving
    assert loop.inlet.committed == []


async def test_giving_up_the_wait_for_what_was_sent_leaves_it_on_its_way():
    loop = Loop()
    await loop.feed(Sent(), Sent(time_us=16 * S, seq=1))
    leaving = asyncio.create_task(loop.process._leave())
    await some_turns_of_the_event_loop()
    leaving.cancel()
    await asyncio.wait({leaving})
    assert not any(future.cancelled() for future in loop.outlet.sent)
    loop.outlet.acknowledge()
    await loop.feed(Sent(time_us=26 * S, seq=2))
    assert loop.gauge("unacknowledged_messages") == 0


async def test_a_clock_that_stands_does_not_keep_the_windows_of_others_from_being_told():
    loop = Loop()
    loop.inlet.all_is_read = True
    await loop.feed(Sent())
    for seq in range(3):
        loop.some_time_goes_by()
        await loop.feed(Sent(robot=2, seq=seq, time_us=S - START_US))
    assert [(message.kind, message.start_us) for message in loop.told()] == [(PROVISIONAL, START_US)]


async def test_while_a_clock_goes_on_windows_wait_for_their_end():
    loop = Loop()
    loop.inlet.all_is_read = True
    for seq in range(3):
        await loop.feed(Sent(seq=seq, time_us=seq * S))
        loop.some_time_goes_by()
    assert loop.told() == []


async def test_giving_partitions_up_in_peace_commits_where_reading_has_come():
    loop = Loop()
    await loop.feed(Sent(), Sent(time_us=16 * S, seq=1))
    loop.outlet.acknowledge()
    await loop.process._leave()
    assert loop.inlet.committed == [1]


async def test_a_message_that_kafka_does_not_take_stops_it_and_nothing_is_committed():
    loop = Loop()
    await loop.feed(Sent(), Sent(time_us=16 * S, seq=1))
    loop.outlet.sent[0].set_exception(KafkaError("no"))
    with pytest.raises(StopError, match="nothing is committed past it"):
        await loop.feed(Sent(time_us=17 * S, seq=2))
    with pytest.raises(StopError):
        await loop.housekeeping()
    assert loop.inlet.committed == []


async def test_a_task_that_loses_a_cancellation_is_ended_all_the_same():
    lost = asyncio.Event()

    async def looks_again_and_again():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            lost.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(looks_again_and_again())
    await some_turns_of_the_event_loop()
    await asyncio.wait_for(ended(task), timeout=30)
    assert lost.is_set()
    assert task.cancelled()


async def test_gauges_say_how_far_behind_it_is():
    loop = Loop()
    await loop.feed(Sent(), Sent(time_us=16 * S, seq=1))
    loop.outlet.acknowledge()
    await loop.housekeeping()
    assert loop.gauge("lag_records") == 1
    assert loop.gauge("lag_seconds") > 86_400  # the frames are of long ago
    assert loop.gauge("open_windows") == 1
    assert loop.gauge("rereading_records") == 0
