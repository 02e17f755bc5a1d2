"""The grouping as a loop: anomalies of the whole fleet in, parents and what members are told out.

In: `fleet.anomalies`, and of `fleet.actions` what is about parents; all partitions. Out: transitions of parents and
actions for their members on the same topics, and the state through `processors/group_store.py`. A loop of
`robovitals assess` (`processors/assess.py`); what it does with what it reads is in `processors/groups.py`.

One replica groups: that which has partition 0 of the vitals. For each step, in this order: the state stored
together with how far was read, then what is to be sent. Stopped in between, the next one finds in the state what
may not be out, and sends it again, with the same ids. A Kafka that does not answer is waited for, and the assessor
goes on meanwhile: an alarm without a parent calls a person, so nothing is lost but quiet.

Partitions are read side by side, and a slice is taken when all have been read beyond it.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError, ProducerFenced

from processors.fleet_state import Fleet
from processors.group_metrics import GroupMetrics
from processors.group_store import GroupStore
from processors.groups import Outcome, step, unsent
from processors.members import SLICE_US, Arrived, Asked, Seen
from schemas.action import decode_action, encode_action
from schemas.anomaly import FLEET, Anomaly, decode_anomaly, encode_anomaly
from schemas.errors import RejectError
from schemas.kafka import Kafka
from schemas.topics import ACTIONS, ANOMALIES, MAX_RECORD_BYTES

LOOK_EVERY_S = 0.5
SETTLE_US = 500_000  # ours: what the assessors sent in a slice has reached the broker so long after its end
SHOW_EVERY_S = 5.0
FIRST_BACKOFF_S = 1.0
LONGEST_BACKOFF_S = 30.0
KAFKA_TIMEOUT_S = 10.0
_RECORDS_AT_ONCE = 5_000

_log = logging.getLogger(__name__)


class _Waiting(NamedTuple):
    """What came in a slice that is not over, and where it was read."""

    partition: TopicPartition
    offset: int
    arrived: Arrived


class Grouping:
    """`is_ours`: whether this replica is the one that groups."""

    def __init__(self, kafka: Kafka, metrics: GroupMetrics, is_ours: Callable[[], bool]) -> None:
        self._kafka = kafka
        self._metrics = metrics
        self._is_ours = is_ours
        self._turn: _Turn | None = None
        metrics.lag_seconds.set_function(self._lag_s)

    def _lag_s(self) -> float:
        """Also where the loop hangs. Nought where somebody else groups."""
        taken_us = self._turn.taken_us if self._turn is not None else None
        return 0.0 if taken_us is None else max(_now_us() - taken_us, 0) / 1e6

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`."""
        backoff_s = FIRST_BACKOFF_S
        while not stop.is_set():
            pause_s = LOOK_EVERY_S
            if self._is_ours():
                began_s = time.monotonic()
                try:
                    self._turn = _Turn(self._kafka, self._metrics, self._is_ours)
                    await self._turn.run(stop)
                except ProducerFenced as error:
                    _log.info("another assessor groups now: %r", error)
                except (KafkaError, TimeoutError) as error:
                    _log.warning("grouping waits for Kafka: %r", error)
                    self._metrics.retries.inc()
                    long = time.monotonic() - began_s > LONGEST_BACKOFF_S
                    backoff_s = FIRST_BACKOFF_S if long else min(2 * backoff_s, LONGEST_BACKOFF_S)
                    pause_s = backoff_s
                finally:
                    self._turn = None
                    self._metrics.active.set(0)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause_s)


class _Turn:
    """One time of being the replica that groups: from the stored state until somebody else does, or Kafka fails.

    `taken_us`: the end of the last slice that was taken, None at the beginning.
    """

    def __init__(self, kafka: Kafka, metrics: GroupMetrics, is_ours: Callable[[], bool]) -> None:
        self._metrics = metrics
        self._is_ours = is_ours
        self._store = GroupStore(kafka)
        self._producer = AIOKafkaProducer(
            **kafka.client(), enable_idempotence=True, acks="all", linger_ms=5,
            max_request_size=MAX_RECORD_BYTES, compression_type="zstd",
        )  # fmt: skip
        self._consumer = AIOKafkaConsumer(**kafka.client(), enable_auto_commit=False, auto_offset_reset="earliest")
        self._fleet = Fleet()
        self._waiting: list[_Waiting] = []
        self._read_us: dict[TopicPartition, int] = {}
        self._shown_s = -SHOW_EVERY_S
        self.taken_us: int | None = None
        self._flood_us = 0

    async def run(self, stop: asyncio.Event) -> None:
        try:
            await self._begin()
            while not stop.is_set() and self._is_ours():
                await self._look()
        finally:
            for close in (self._consumer.stop, self._producer.stop, self._store.close):
                with suppress(KafkaError, TimeoutError):
                    await asyncio.wait_for(close(), KAFKA_TIMEOUT_S)

    async def _begin(self) -> None:
        await self._producer.start()
        await self._consumer.start()
        await self._store.open()
        self._fleet = await self._store.read()
        self._flood_us = self._fleet.head.load.flood_us
        partitions = [
            TopicPartition(topic.name, number)
            for topic in (ANOMALIES, ACTIONS)
            for number in sorted(await self._producer.partitions_for(topic.name))
        ]
        self._consumer.assign(partitions)
        await self._seek(partitions)
        await self._send(unsent(self._fleet))
        self._metrics.active.set(1)
        parents, members = len(self._fleet.open_parents), len(self._fleet.members)
        _log.info("grouping the fleet's episodes: %d open parents, %d episodes", parents, members)

    async def _seek(self, partitions: list[TopicPartition]) -> None:
        """To where the state ends; to the beginning where that is gone, which is said."""
        begins = await self._consumer.beginning_offsets(partitions)
        ends = await self._consumer.end_offsets(partitions)
        for partition in partitions:
            wanted = self._fleet.head.positions.get(_name(partition), begins[partition])
            if not begins[partition] <= wanted <= ends[partition]:
                _log.error("%s is kept from %d to %d, and was read to %d: anomalies in between are not grouped",
                           partition, begins[partition], ends[partition], wanted)  # fmt: skip
                wanted = begins[partition]
            self._consumer.seek(partition, wanted)

    async def _look(self) -> None:
        """Read what has come, and take the slices that are over."""
        polled = await self._consumer.getmany(timeout_ms=round(1000 * LOOK_EVERY_S), max_records=_RECORDS_AT_ONCE)
        now_us = _now_us()
        for partition, records in polled.items():
            for record in records:
                self._take(partition, record, now_us)
            self._read_us[partition] = min(records[-1].timestamp * 1000, now_us)
        until_us = await self._settled_us(now_us)
        due = [waiting.arrived for waiting in self._waiting if waiting.arrived.came_us < until_us]
        self._waiting = [waiting for waiting in self._waiting if waiting.arrived.came_us >= until_us]
        outcome = step(self._fleet, due, until_us)
        await self._store.write(self._fleet, await self._positions())
        await self._send(outcome)
        self.taken_us = until_us or self.taken_us  # 0: not all partitions have been looked at yet
        self._show(outcome)

    def _take(self, partition: TopicPartition, record: Any, now_us: int) -> None:
        came_us = min(record.timestamp * 1000, now_us)
        arrived: Arrived
        try:
            if partition.topic == ACTIONS.name:
                arrived = Asked(came_us, decode_action(record.value or b""))
                about_fleet = arrived.action.robot_id == FLEET
            else:
                arrived = Seen(came_us, decode_anomaly(record.value or b""))
                about_fleet = arrived.anomaly.robot_id == FLEET
        except RejectError as error:
            # What is wrong with an action, the assessor says.
            if partition.topic != ACTIONS.name:
                self._reject(error)
            return
        # Of the fleet we have told ourselves, and people's actions about robots are the assessor's.
        if about_fleet is isinstance(arrived, Asked):
            self._waiting.append(_Waiting(partition, record.offset, arrived))

    def _reject(self, error: RejectError) -> None:
        self._metrics.rejected.labels(error.reason).inc()
        _log.warning("skipped: %s", error)

    async def _settled_us(self, now_us: int) -> int:
        """The end of the last slice that all partitions have been read beyond."""
        until_us = now_us - SETTLE_US
        for partition in self._consumer.assignment():
            end = self._consumer.highwater(partition)
            if end is None or await self._consumer.position(partition) < end:
                until_us = min(until_us, self._read_us.get(partition, 0))
        return until_us - until_us % SLICE_US

    async def _positions(self) -> dict[str, int]:
        """Of each partition the first offset that no step has seen."""
        assigned = sorted(self._consumer.assignment())
        positions = {_name(partition): await self._consumer.position(partition) for partition in assigned}
        for partition, offset, _ in self._waiting:
            positions[_name(partition)] = min(positions[_name(partition)], offset)
        return positions

    async def _send(self, outcome: Outcome) -> None:
        """Parents first, then their members; until the broker has all of them."""
        await self._sent([(ANOMALIES.name, FLEET, *encode_anomaly(a)) for a in outcome.anomalies])
        await self._sent([(ACTIONS.name, a.robot_id, encode_action(a), None) for a in outcome.actions])
        for anomaly in outcome.anomalies:
            _tell_log(anomaly)
            self._metrics.parent_transitions.labels(anomaly.transition).inc()
        for error in outcome.rejected:
            self._reject(error)
        for action in outcome.actions:
            self._metrics.actions.labels(action.kind).inc()

    async def _sent(self, messages: list[tuple[str, str, bytes, Any]]) -> None:
        sending = [
            await self._producer.send(topic, value, key=key.encode(), headers=headers)
            for topic, key, value, headers in messages
        ]
        await asyncio.gather(*sending)

    def _show(self, outcome: Outcome) -> None:
        self._metrics.calls.inc(outcome.calls)
        flood_us = self._fleet.head.load.flood_us
        self._metrics.flood_seconds.inc(max(flood_us - self._flood_us, 0) / 1e6)
        self._flood_us = flood_us
        if time.monotonic() - self._shown_s >= SHOW_EVERY_S:
            self._shown_s = time.monotonic()
            self._metrics.waiting.set(len(self._waiting))
            self._metrics.show(self._fleet)


def _tell_log(anomaly: Anomaly) -> None:
    _log.info("%s %s/%d: %s", anomaly.transition, anomaly.episode_id, anomaly.number, anomaly.text)


def _name(partition: TopicPartition) -> str:
    return f"{partition.topic}/{partition.partition}"


def _now_us() -> int:
    return time.time_ns() // 1000
