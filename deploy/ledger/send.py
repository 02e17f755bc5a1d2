"""The ledger's loop: sends a plan's records on time, and writes down what it intends, attempts and is told.

In: a book with its plan, a broker. Out: records on `telemetry.frames`; the book says how far each came. Called by
`robovitals ledger`.

The schedule never waits: what is due is intended, whether the broker is there or not, and is sent as soon as it
can be. At most IN_FLIGHT records are out unacknowledged. A producer that fails, or is stuck, is replaced; what it
had not acknowledged is sent again, for a frame that comes twice is still one frame. Poison has no identity to be
told by, so it is sent once: unacknowledged, it stays «attempted».
"""

import asyncio
import time
from contextlib import suppress
from typing import Any

import numpy as np
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from deploy.ledger.book import Book
from deploy.ledger.frames import messages
from schemas.errors import UnavailableError
from schemas.kafka import Kafka
from schemas.topics import FRAMES

TICK_S = 0.02
BATCH, IN_FLIGHT = 500, 4_000
STUCK_S = 40.0
RETRY_S = 0.5
CLOSE_S = 3.0
DRAIN_S = 600.0


class Ledger:
    """`intended`, `acknowledged` count records; `failures` the producers that had to be replaced."""

    def __init__(self, book: Book, kafka: Kafka) -> None:
        self._book = book
        self._plan = book.plan
        self._kafka = kafka
        self._producer: AIOKafkaProducer | None = None
        self._flying: dict[int, asyncio.Future[Any]] = {}
        self._told: list[tuple[int, int, int]] = []
        self._again: list[int] = []
        self._lost: str | None = None
        self._next = 0
        self._progress_s = time.monotonic()
        self.intended = self.acknowledged = self.failures = self.unknown = 0

    @property
    def waiting(self) -> int:
        """Intended, and neither acknowledged nor given up."""
        return self.intended - self.acknowledged - self.unknown

    async def run(self, stop: asyncio.Event) -> None:
        """Until all of the plan, or what was intended up to `stop`, is acknowledged. Raises UnavailableError when
        that takes longer than DRAIN_S."""
        ended_s: float | None = None
        try:
            while True:
                now_s = time.monotonic()
                if ended_s is None and (stop.is_set() or self.intended == self._plan.records):
                    ended_s = now_s
                await self._turn(intend=ended_s is None)
                if ended_s is not None and not self.waiting and not self._told:
                    return
                if ended_s is not None and now_s - ended_s > DRAIN_S:
                    raise UnavailableError(
                        f"{self.waiting} records are not acknowledged {DRAIN_S:.0f} s after the last was due; the "
                        f"book knows which ({self._book.path}): `robovitals doctor`"
                    )
                await asyncio.sleep(TICK_S)
        finally:
            await self._drop_producer()
            self._book.write((), (), self._told)

    async def _turn(self, intend: bool) -> None:
        """One transaction of the book, and then what it allows to be sent."""
        due = self._plan.due(time.time() - self._plan.start_us / 1e6) if intend else self.intended
        new, self.intended = range(self.intended, max(due, self.intended)), max(due, self.intended)
        ready = await self._has_producer()
        batch = self._batch(new.start) if ready else []
        told, self._told = self._told, []
        if new or batch or told:
            self._book.write(new, batch, told)
            self.acknowledged += len(told)
        await self._send(batch)

    def _batch(self, durable: int) -> list[int]:
        """What to send next, of the records below `durable`: those that failed before, then new ones."""
        room = min(BATCH, IN_FLIGHT - len(self._flying))
        if room <= 0:
            return []
        batch, self._again = self._again[:room], self._again[room:]
        until = min(durable, self._next + room - len(batch))
        batch += range(self._next, max(until, self._next))
        self._next = max(until, self._next)
        return batch

    async def _send(self, batch: list[int]) -> None:
        for number, code, value in messages(self._plan, np.array(batch, np.int64)) if batch else ():
            if self._lost or self._producer is None:
                self._again.append(number)
                continue
            try:
                flying = await self._producer.send(FRAMES.name, value, code.encode())
            except KafkaError as error:
                self._lost = repr(error)
                self._again.append(number)
                continue
            self._flying[number] = flying
            flying.add_done_callback(lambda done, number=number: self._settled(number, done))

    def _settled(self, number: int, done: "asyncio.Future[Any]") -> None:
        if self._flying.get(number) is not done:
            return  # of a producer that has been replaced
        if done.cancelled() or done.exception():
            self._lost = "cancelled" if done.cancelled() else repr(done.exception())
            return
        del self._flying[number]
        self._progress_s = time.monotonic()
        self._told.append((number, done.result().partition, done.result().offset))

    async def _has_producer(self) -> bool:
        if self._flying and time.monotonic() - self._progress_s > STUCK_S:
            self._lost = f"nothing was acknowledged for {STUCK_S:.0f} s"
        if self._lost:
            self._book.note(f"the producer is replaced: {self._lost}")
            self.failures += 1
            await self._drop_producer()
            self._lost = None
        if self._producer is None and time.monotonic() - self._progress_s > RETRY_S:
            self._progress_s = time.monotonic()
            await self._open_producer()
        return self._producer is not None

    async def _open_producer(self) -> None:
        producer = AIOKafkaProducer(
            **self._kafka.client(),
            client_id="robovitals.ledger",
            enable_idempotence=True,
            compression_type="zstd",
            linger_ms=10,
            max_batch_size=256 * 1024,
            request_timeout_ms=int(STUCK_S * 1000),
        )
        try:
            await asyncio.wait_for(producer.start(), CLOSE_S)
        except (KafkaError, TimeoutError):
            await _close(producer)
            return
        self._producer = producer

    async def _drop_producer(self) -> None:
        """What was in flight goes again, in order; poison does not."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await _close(producer)
        for done in [d for d in self._flying.values() if d.done() and not d.cancelled()]:
            done.exception()
        left = np.array(sorted([*self._flying, *self._again]), np.int64)
        self._flying.clear()
        poison = self._plan.is_poison(left)
        sent = np.isin(left, self._again, invert=True)
        self.unknown += int((poison & sent).sum())
        self._again = left[~(poison & sent)].tolist()


async def _close(producer: AIOKafkaProducer) -> None:
    """It flushes first, for which a broker that is away would let it wait until it gives up by itself."""
    with suppress(KafkaError, TimeoutError):
        await asyncio.wait_for(producer.stop(), CLOSE_S)
        return
    with suppress(KafkaError, TimeoutError):
        if producer._sender is not None:
            await asyncio.wait_for(producer._sender.close(), CLOSE_S)
        await producer.client.close()
