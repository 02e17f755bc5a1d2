"""Operators' actions into the log of what they are about: from `fleet.actions` to `telemetry.vitals`.

In: `fleet.actions`, as a group of its own. Out: the same actions, each on the partition of its robot's frames,
among windows and crossings. A second loop of the assessor's process, started by `processors/assess.py`.

Why not as a second topic of the assessor: messages of two topics have no order that a restart would repeat, and the
numbers of transitions follow from the order. Here an action gets its place once. It is committed when the broker
has it on both topics: one that was under way at a kill comes twice, by the same id, and has no second effect.

What Kafka does not take is tried again from what was committed, with a new consumer and producer.
"""

import asyncio
import logging
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import CommitFailedError, KafkaError
from aiokafka.partitioner import murmur2

from processors.assess_metrics import AssessMetrics
from processors.outlet import Outlet, Sent, settled
from schemas.action import decode_action
from schemas.anomaly import FLEET
from schemas.errors import RejectError, StopError
from schemas.kafka import Kafka
from schemas.topics import ACTIONS
from schemas.vitals import VITALS_VERSION, Acted

GROUP = "robovitals.actions"
SESSION_TIMEOUT_S = 10.0
_POLL_S = 0.5
_BACKOFF_S = 2.0
_AT_ONCE = 500

_log = logging.getLogger(__name__)


def partition_of(code: str, partitions: int) -> int:
    """Where a robot's frames are: its agent lets Kafka's own partitioner choose. An action may come from a client
    that has another one.
    """
    return int((murmur2(code.encode()) & 0x7FFFFFFF) % partitions)


class ForwardActions:
    """The loop. One a process; the group shares the partitions."""

    def __init__(self, kafka: Kafka, instance: str | None, metrics: AssessMetrics) -> None:
        self._kafka = kafka
        self._member = f"{GROUP}.{instance}" if instance else None
        self._metrics = metrics

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            try:
                await self._forward_all()
            except (KafkaError, StopError, OSError) as error:
                _log.warning("actions wait, for Kafka does not take them: %r", error)
                await asyncio.sleep(_BACKOFF_S)

    async def _forward_all(self) -> None:
        outlet = Outlet(self._kafka)
        consumer = AIOKafkaConsumer(
            ACTIONS.name,
            **self._kafka.client(),
            group_id=GROUP,
            group_instance_id=self._member,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=int(SESSION_TIMEOUT_S * 1000),
            heartbeat_interval_ms=int(SESSION_TIMEOUT_S * 250),
        )
        try:
            await outlet.open()
            await consumer.start()
            while True:
                found = await consumer.getmany(timeout_ms=int(_POLL_S * 1000), max_records=_AT_ONCE)
                records = [record for of_partition in found.values() for record in of_partition]
                if not records:
                    continue
                sent: list[Sent] = []
                partitions = len(consumer.partitions_for_topic(ACTIONS.name))
                for acted in self._read(records):
                    sent += await outlet.send(partition_of(acted.action.robot_id, partitions), [acted])
                await settled(sent)
                # Somebody else has the partition now, and will forward it once more.
                with suppress(CommitFailedError):
                    await consumer.commit()
        finally:
            # A broker that is gone must not keep the process from ending.
            with suppress(KafkaError, TimeoutError, OSError):
                await asyncio.wait_for(asyncio.gather(consumer.stop(), outlet.close()), SESSION_TIMEOUT_S)

    def _read(self, records: Iterable[Any]) -> Iterable[Acted]:
        for record in records:
            try:
                action = decode_action(record.value or b"")
            except RejectError as error:
                self._metrics.rejected.labels(error.reason).inc()
                _log.warning("skipped an action of %s/%d: %s", ACTIONS.name, record.partition, error)
                continue
            if action.robot_id == FLEET:  # the grouping takes it from here
                continue
            self._metrics.actions.labels(action.kind).inc()
            yield Acted(v=VITALS_VERSION, action=action, taken_us=time.time_ns() // 1000)
