"""Anomalies into the outbox, and what the grouping asks for: that a parent adopts an episode.

In: `fleet.anomalies` and `fleet.actions`, as a member of the group `robovitals.notify`; where they are
read from is what the database says. Out: deliveries, through `processors/notify/outbox.py`. A loop of
`processors/notify/notifier.py`.

A server that does not answer is waited for. What cannot be read is counted and left out: the lander keeps its
bytes. An offset that the log does not have is never jumped over silently.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import IllegalStateError, KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError

from processors.notify import outbox
from processors.notify.metrics import NotifyMetrics
from processors.notify.outbox import FencedError, Place, Span
from processors.notify.planning import Arrived, Asked, Plan
from processors.notify.queue import Pool
from processors.notify.receivers import Config
from processors.transient import look_until
from schemas.action import Kind, decode_action
from schemas.anomaly import decode_anomaly
from schemas.errors import ContractError, RejectError, StopError, UnavailableError
from schemas.kafka import Kafka
from schemas.topics import ACTIONS, ANOMALIES, MAX_RECORD_BYTES

GROUP = "robovitals.notify"
TOPICS = (ANOMALIES.name, ACTIONS.name)
SESSION_TIMEOUT_S = 10.0
POLL_S = 0.5
RECORDS_AT_ONCE = 500
REQUEST_TIMEOUT_S = 10.0

_log = logging.getLogger(__name__)


class Inlet(ConsumerRebalanceListener):  # type: ignore[misc]
    """`has_more` is called after each batch that brought deliveries. `now_us`: the wall clock."""

    def __init__(
        self, kafka: Kafka, instance: str | None, config: Config, metrics: NotifyMetrics,
        has_more: Callable[[], None], now_us: Callable[[], int],
    ) -> None:  # fmt: skip
        self._kafka = kafka
        self._instance = instance
        self._config = config
        self._metrics = metrics
        self._has_more = has_more
        self._now_us = now_us
        self._consumer: AIOKafkaConsumer | None = None
        # Of each partition that is ours the next offset to take; those that have yet to be sought.
        self._next: dict[TopicPartition, int] = {}
        self._unsought: set[TopicPartition] = set()
        self._assignments = 0
        self._pool: Pool | None = None
        self.problem: str | None = "starting"
        self.turned_s = time.monotonic()

    async def run(self, pool: Pool, stop: asyncio.Event) -> None:
        """Until `stop`. Raises StopError when going on would mislead."""
        self._pool = pool
        consumer = self._consumer = AIOKafkaConsumer(
            **self._kafka.client(), group_id=GROUP, group_instance_id=self._instance,
            enable_auto_commit=False, auto_offset_reset="none",
            # Of both topics the same partitions, so that an adoption and its episode come to the same notifier.
            partition_assignment_strategy=(RangePartitionAssignor,), max_partition_fetch_bytes=2 * MAX_RECORD_BYTES,
            session_timeout_ms=int(SESSION_TIMEOUT_S * 1000), heartbeat_interval_ms=int(SESSION_TIMEOUT_S * 250),
        )  # fmt: skip
        try:
            await self._start(consumer)
            retries = self._metrics.retries.labels("database")
            turn, wait = partial(self._turn, consumer), partial(self._wait, consumer)
            await look_until(stop, "the notifier", turn, self._lost_database, retries, wait)
        finally:
            self.problem = "stopping"
            with suppress(KafkaError, TimeoutError):
                await asyncio.wait_for(consumer.stop(), REQUEST_TIMEOUT_S)

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Whoever gets them begins at the stored offsets."""
        self._assignments += 1
        self.problem = "partitions are being assigned"
        self._next.clear()
        self._unsought.clear()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """The loop seeks them: waiting for the database here would cost the membership."""
        self._assignments += 1
        self._unsought = set(assigned)
        if self._consumer is not None:
            self._consumer.pause(*self._unsought)
        if not self._unsought:
            self.problem = "no partition is assigned: there are more notifiers than partitions"

    async def _start(self, consumer: AIOKafkaConsumer) -> None:
        try:
            await consumer.start()
            topics = await consumer.topics()
        except KafkaError as error:
            raise UnavailableError(
                f"Kafka at {self._kafka} cannot be used ({error!r}): `robovitals doctor`"
            ) from None
        if missing := set(TOPICS) - topics:
            raise UnavailableError(self._kafka.without(missing))
        consumer.subscribe(TOPICS, listener=self)

    def _lost_database(self) -> None:
        """A COMMIT whose answer was lost may have been done: what is stored says so."""
        self.problem = "the database does not answer"
        self._unsought |= self._next.keys()

    async def _turn(self, consumer: AIOKafkaConsumer) -> float:
        """Returns how long to pause: not at all, for it polls."""
        self.turned_s = time.monotonic()
        try:
            await self._take_polled(consumer)
        except FencedError:
            self._metrics.fenced.inc()
            self._unsought |= self._next.keys()
        return 0.0

    async def _take_polled(self, consumer: AIOKafkaConsumer) -> None:
        if self._unsought:
            await self._seek(consumer)
        if self._unsought:
            return  # what is read now would not be what comes next
        polled = await self._poll(consumer)
        records = {tp: found for tp, found in polled.items() if tp in self._next}
        if records:
            assignments = self._assignments
            made = await self._take(records)
            if assignments == self._assignments:
                self._next |= {tp: found[-1].offset + 1 for tp, found in records.items()}
            self._count(made)
        await self._tell_caught_up(consumer)

    async def _wait(self, consumer: AIOKafkaConsumer, stop: asyncio.Event, seconds: float) -> None:
        """Polls go on meanwhile, without reading: they are what keeps the membership."""
        consumer.pause(*self._next)
        until_s = time.monotonic() + seconds
        while time.monotonic() < until_s and not stop.is_set():
            await self._poll(consumer)

    async def _seek(self, consumer: AIOKafkaConsumer) -> None:
        assert self._pool is not None
        assignments, wanted = self._assignments, set(self._unsought)
        try:
            beginnings = await asyncio.wait_for(consumer.beginning_offsets([*wanted]), REQUEST_TIMEOUT_S)
            async with self._pool.acquire() as connection:
                stored = await outbox.offsets(connection, {_place(tp): at for tp, at in beginnings.items()})
            ends = await asyncio.wait_for(consumer.end_offsets([*wanted]), REQUEST_TIMEOUT_S)
        except KafkaError as error:
            self._kafka_waits(error)
            await asyncio.sleep(POLL_S)
            return
        if assignments != self._assignments:
            return  # meanwhile they were assigned anew
        for tp in wanted:
            _check_log(tp, stored[_place(tp)], beginnings[tp], ends[tp])
            consumer.seek(tp, stored[_place(tp)])
        consumer.resume(*wanted)
        self._next |= {tp: stored[_place(tp)] for tp in wanted}
        self._unsought -= wanted
        self.problem = None
        _log.info("reading %d partitions for %d receivers", len(self._next), len(self._config.receivers))

    async def _poll(self, consumer: AIOKafkaConsumer) -> dict[TopicPartition, list[Any]]:
        try:
            # While partitions are being assigned getmany waits for that, however long it takes.
            async with asyncio.timeout(2 * POLL_S):
                polled: dict[TopicPartition, list[Any]] = await consumer.getmany(
                    timeout_ms=int(1000 * POLL_S), max_records=RECORDS_AT_ONCE
                )
                return polled
        except (TimeoutError, NoOffsetForPartitionError, IllegalStateError):
            return {}
        except OffsetOutOfRangeError as error:
            raise ContractError(f"Kafka no longer has what is to be told next: {error}") from None
        except KafkaError as error:
            if not error.retriable:
                twice = "; does another notifier have the same ROBOVITALS_INSTANCE?" if self._instance else ""
                raise StopError(f"Kafka says: {error!r}{twice}") from error
            self._kafka_waits(error)
            await asyncio.sleep(POLL_S)
            return {}

    def _kafka_waits(self, error: KafkaError) -> None:
        self._metrics.retries.labels("kafka").inc()
        _log.warning("Kafka says: %r", error)

    async def _take(self, records: dict[TopicPartition, list[Any]]) -> Plan:
        assert self._pool is not None
        spans = {_place(tp): Span(self._next[tp], found[-1].offset + 1) for tp, found in records.items()}
        arrived = [one for tp, found in records.items() for one in self._read(tp, found)]
        async with self._pool.acquire() as connection:
            made = await outbox.take(connection, self._config, spans, arrived, self._now_us())
        self._metrics.anomalies.inc(sum(isinstance(one, Arrived) for one in arrived))
        return made

    def _read(self, tp: TopicPartition, records: Iterable[Any]) -> Iterable[Arrived | Asked]:
        for record in records:
            try:
                if tp.topic == ANOMALIES.name:
                    yield Arrived(tp.partition, decode_anomaly(record.value or b""))
                    continue
                action = decode_action(record.value or b"")
                if action.kind is Kind.ADOPT:  # all else is told once the assessor has done it
                    yield Asked(action.episode_id, action.parent)
            except RejectError as error:
                if tp.topic == ANOMALIES.name:  # what is wrong with an action, the assessor says
                    self._metrics.rejected.labels(error.reason).inc()
                    _log.warning("skipped %s/%d offset %d: %s", tp.topic, tp.partition, record.offset, error)

    def _count(self, made: Plan) -> None:
        dropped = sum(bool(added.dropped) for added in made.added.values())
        self._metrics.taken_back.inc(len(made.taken_back) + dropped)
        if made.added:
            self._has_more()

    async def _tell_caught_up(self, consumer: AIOKafkaConsumer) -> None:
        """What is held back waits to hear that nothing more is there that could take it back."""
        lag, read = 0, dict[Place, int]()
        for tp, offset in self._next.items():
            end = consumer.highwater(tp)
            if end is None:
                continue
            lag += max(end - offset, 0)
            if offset >= end:
                read[_place(tp)] = offset
        self._metrics.lag_records.set(lag)
        if read and self._pool is not None and self._config.receivers:
            async with self._pool.acquire() as connection:
                await outbox.caught_up(connection, read, self._now_us())


def _place(tp: TopicPartition) -> Place:
    return tp.topic, tp.partition


def _check_log(tp: TopicPartition, stored: int, beginning: int, end: int) -> None:
    """Raises ContractError when the log does not have the stored offset."""
    if beginning <= stored <= end:
        return
    raise ContractError(
        f"{tp.topic} partition {tp.partition}: offset {stored} is to be told next, and the log has {beginning} to "
        f"{end}: anomalies were deleted before they were told, or the topic was made anew; to go on all the same, "
        f"set its next_offset in the table notified to {beginning}"
    )
