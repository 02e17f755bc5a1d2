"""The way out to `telemetry.vitals`: an idempotent producer, and when all that it was given has been acknowledged.

Called by `processors/summarise.py`, for its own messages and for those of the repairer. What Kafka does not take
ends the process: after that nothing may be committed, and a producer that is stuck recovers only by being new.

Its buffer is bounded: of each partition one batch is being sent and one fills up, and `send` waits for room.
"""

import asyncio
from collections import deque
from collections.abc import Iterable
from typing import TypeAlias

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from processors.partition import record_of
from schemas.errors import StopError
from schemas.kafka import Kafka
from schemas.topics import MAX_RECORD_BYTES, VITALS
from schemas.vitals import Message

Sent: TypeAlias = "asyncio.Future[object]"

LINGER_MS = 5
BATCH_BYTES = 256 * 1024


class Outlet:
    def __init__(self, kafka: Kafka) -> None:
        self._kafka = kafka
        self._producer: AIOKafkaProducer | None = None

    async def open(self) -> None:
        """Raises KafkaError when no broker answers."""
        self._producer = AIOKafkaProducer(
            **self._kafka.client(),
            enable_idempotence=True,
            acks="all",
            linger_ms=LINGER_MS,
            max_batch_size=BATCH_BYTES,
            max_request_size=MAX_RECORD_BYTES,
            compression_type="zstd",
        )
        await self._producer.start()

    async def send(self, partition: int, messages: Iterable[Message]) -> list[Sent]:
        """Hand messages over, waiting while the producer's buffer is full. They are out once `settled`."""
        assert self._producer is not None, "open() first"
        sent: list[Sent] = []
        try:
            for message in messages:
                key, value = record_of(partition, message)
                sent.append(await self._producer.send(VITALS.name, value, key=key, partition=partition))
        except KafkaError as error:
            raise _stuck(error) from error
        return sent

    async def close(self) -> None:
        """Sends what is waiting."""
        if self._producer is not None:
            await self._producer.stop()


class Unsettled:
    """What has been handed over and is not acknowledged yet, in order."""

    def __init__(self) -> None:
        self._sent: deque[Sent] = deque()

    def __len__(self) -> int:
        return len(self._sent)

    def add(self, sent: Iterable[Sent]) -> None:
        self._sent.extend(sent)

    def look(self) -> None:
        """Forget what is acknowledged by now. Raises StopError where Kafka has not taken one."""
        try:
            while self._sent and self._sent[0].done():
                self._sent[0].result()
                self._sent.popleft()
        except KafkaError as error:
            raise _stuck(error) from error

    async def settle(self) -> None:
        """Wait until all that was added so far is acknowledged. Raises StopError where Kafka does not take one."""
        await settled(list(self._sent))
        self.look()


async def settled(sent: Iterable[Sent]) -> None:
    """Wait until all of them are acknowledged. Raises StopError where Kafka does not take one.

    Whoever gives up waiting leaves them on their way: to cancel the wait for one would cancel it for all.
    """
    waiting = list(sent)
    if waiting:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_EXCEPTION)
    try:
        for future in waiting:
            if future.done():
                future.result()
    except KafkaError as error:
        raise _stuck(error) from error


def _stuck(error: KafkaError) -> StopError:
    return StopError(f"{VITALS.name} could not be written ({error!r}); nothing is committed past it, start again")
