"""From the topics of health and anomalies to every page that listens.

In: `fleet.health` and `fleet.anomalies`, all partitions, in no group: each server hears all. Out: moments of a
`Hub`, as the bytes of server-sent events. Run by `serve/server.py`; read by `serve/routes/stream.py`.

It begins with what the database has, and reads the topics from where that was landed, or a little while ago where
that is earlier: nothing falls between, also when the lander is far behind.
Whatever goes wrong with a server, it begins anew, with a new epoch, and pages fetch everything again.
"""

import asyncio
import logging
import time
import uuid
from collections.abc import Callable, Mapping

import msgspec
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from schemas.anomaly import decode_anomaly
from schemas.errors import RejectError, UnavailableError
from schemas.kafka import Kafka
from schemas.topics import ANOMALIES, HEALTH
from serve import database
from serve.context import Context
from serve.hub import Head, Hub, Moment, seen_by
from serve.people import ALL_ROBOTS

FLUSH_EVERY_S = 0.5
BEGIN_BEFORE_S = 120.0
AGAIN_AFTER_S = 2.0
DEAF_AFTER_S = 10.0
_AT_ONCE = 20_000
_TOPICS = (HEALTH.name, ANOMALIES.name)

_log = logging.getLogger("robovitals")
_head = msgspec.json.Decoder(Head)


class Live:
    """`hub` is replaced whenever it has to begin anew. `changed()` ends when there is something new."""

    def __init__(self, kafka: Kafka, context: Context, now_s: Callable[[], float] = time.time) -> None:
        self._kafka = kafka
        self._context = context
        self._now_s = now_s
        self._news = asyncio.Event()
        self._written: dict[tuple[int, tuple[str, ...]], bytes] = {}
        self.hub = Hub(uuid.uuid4().hex[:8])
        self.heard_s = time.monotonic() - DEAF_AFTER_S

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            try:
                await self._listen()
            except (KafkaError, OSError, UnavailableError) as error:
                _log.warning("the live stream begins anew in %.0f s: %r", AGAIN_AFTER_S, error)
            await asyncio.sleep(AGAIN_AFTER_S)

    def not_ready(self) -> str | None:
        """Why pages would not hear of a change."""
        away_s = time.monotonic() - self.heard_s
        return None if away_s < DEAF_AFTER_S else "the live stream does not hear Kafka"

    async def changed(self, within_s: float) -> None:
        """Wait for the next moment, but no longer than that."""
        try:
            async with asyncio.timeout(within_s):
                await self._news.wait()
        except TimeoutError:
            pass

    def bytes_of(self, moment: Moment, prefixes: tuple[str, ...]) -> bytes:
        """A moment as events, written once for all who may see the same."""
        key = (moment.number, prefixes)
        if key not in self._written:
            self._written[key] = events_of(self.hub.epoch, moment, prefixes)
        return self._written[key]

    async def _listen(self) -> None:
        consumer = AIOKafkaConsumer(*_TOPICS, **self._kafka.client(), enable_auto_commit=False)
        try:
            await consumer.start()
            hub = Hub(uuid.uuid4().hex[:8])
            async with self._context.own() as connection:
                # First how far it is: what lands from here on may be in what is read next, and is then heard again.
                landed = {topic: await database.landed_offsets(connection, topic) for topic in _TOPICS}
                hub.begin_with(*await database.stream_begin(connection))
            await self._position(consumer, landed)
            self.hub = hub
            self._tell()
            while True:
                await self._take(consumer, hub)
        finally:
            await consumer.stop()

    async def _position(self, consumer: AIOKafkaConsumer, landed: Mapping[str, Mapping[int, int]]) -> None:
        partitions = consumer.assignment()
        if missing := set(_TOPICS) - {partition.topic for partition in partitions}:
            raise UnavailableError(self._kafka.without(missing))
        since_ms = int((self._now_s() - BEGIN_BEFORE_S) * 1000)
        found = await consumer.offsets_for_times(dict.fromkeys(partitions, since_ms))
        beginnings, ends = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
        for partition in partitions:
            at = found[partition]
            lately = ends[partition] if at is None else at.offset
            next_landed = landed[partition.topic].get(partition.partition, lately)
            consumer.seek(partition, max(beginnings[partition], min(lately, next_landed)))

    async def _take(self, consumer: AIOKafkaConsumer, hub: Hub) -> None:
        """What comes until the next flush, and then the flush."""
        until_s = time.monotonic() + FLUSH_EVERY_S
        while (left_s := until_s - time.monotonic()) > 0:
            batches = await consumer.getmany(timeout_ms=max(1, int(left_s * 1000)), max_records=_AT_ONCE)
            for partition, records in batches.items():
                take = _take_health if partition.topic == HEALTH.name else _take_anomaly
                for record in records:
                    if record.value is not None:
                        take(hub, record.value)
            await asyncio.sleep(0)
        self.heard_s = self._heard_s(consumer)
        if hub.flush() is not None:
            self._tell()

    def _heard_s(self, consumer: AIOKafkaConsumer) -> float:
        """When every partition's broker had answered last: one that is away is no error, it only brings nothing."""
        answered_ms = [consumer.last_poll_timestamp(partition) for partition in consumer.assignment()]
        if None in answered_ms:
            return self.heard_s
        away_s = self._now_s() - min(answered_ms, default=0) / 1000
        return time.monotonic() - max(away_s, 0.0)

    def _tell(self) -> None:
        self._written.clear()
        news, self._news = self._news, asyncio.Event()
        news.set()


def events_of(epoch: str, moment: Moment, prefixes: tuple[str, ...]) -> bytes:
    """As server-sent events; the last carries the id to resume from."""
    seen = moment if prefixes == (ALL_ROBOTS,) else seen_by(moment, prefixes)
    events = [event("status", seen.changed)] if seen.changed.index else []
    events += [event("alarm", alarm) for alarm in seen.alarms]
    if events:
        events[-1] = b"id: %s-%d\n%s" % (epoch.encode(), moment.number, events[-1])
    return b"".join(events)


def event(name: str, data: object) -> bytes:
    """One server-sent event. JSON has no line breaks, so it is one line of data."""
    return b"event: %s\ndata: %s\n\n" % (name.encode(), msgspec.json.encode(data))


def _take_health(hub: Hub, value: bytes) -> None:
    try:
        hub.take_health(_head.decode(value))
    except msgspec.DecodeError as error:
        _log.warning("a health message cannot be read: %s", error)


def _take_anomaly(hub: Hub, value: bytes) -> None:
    try:
        hub.take_anomaly(decode_anomaly(value))
    except RejectError as error:
        _log.warning("an anomaly cannot be read: %s", error)
