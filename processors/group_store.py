"""Where the grouping keeps its state: a compacted topic, written in transactions.

In: what has changed of the fleet's state. Out: the state as it was stored last. Called by
`processors/group_work.py`.

A step's changes and the positions that it has read to are one transaction, so they are there together or not at
all. Its id is the same for everybody who groups, and Kafka lets only the latest write: whoever was thought dead and
comes back, gets `ProducerFenced` and has changed nothing. So the state is read after the producer has started.
"""

import asyncio
import logging

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from processors.fleet_state import HEAD_KEY, Entry, Fleet, pack, unpack
from schemas.errors import ContractError
from schemas.kafka import Kafka
from schemas.topics import ANOMALIES, GROUP_STATE, MAX_RECORD_BYTES

_log = logging.getLogger(__name__)

TRANSACTIONAL_ID = "robovitals.groups"
TRANSACTION_TIMEOUT_MS = 20_000
_BATCH_BYTES = 256 * 1024
_POLL_MS = 500

_PARTITION = TopicPartition(GROUP_STATE.name, 0)


class GroupStore:
    """`open`, then `read`, then `write` for as long as nobody else opens one."""

    def __init__(self, kafka: Kafka) -> None:
        self._kafka = kafka
        self._producer: AIOKafkaProducer | None = None

    async def open(self) -> None:
        """From here on nobody who opened one before can write. Raises KafkaError."""
        self._producer = AIOKafkaProducer(
            **self._kafka.client(),
            transactional_id=TRANSACTIONAL_ID,
            transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
            linger_ms=5,
            max_batch_size=_BATCH_BYTES,
            max_request_size=MAX_RECORD_BYTES,
            compression_type="zstd",
        )
        await self._producer.start()

    async def read(self) -> Fleet:
        """The state as it was written last. One that this program cannot read is made anew, from the anomalies that
        Kafka still has: parents have the same ids again. Raises KafkaError.
        """
        kept: dict[str, bytes] = {}
        consumer = AIOKafkaConsumer(
            **self._kafka.client(), isolation_level="read_committed", enable_auto_commit=False
        )
        try:
            await consumer.start()
            consumer.assign([_PARTITION])
            await consumer.seek_to_beginning(_PARTITION)
            end = (await consumer.end_offsets([_PARTITION]))[_PARTITION]
            while await consumer.position(_PARTITION) < end:
                for records in (await consumer.getmany(timeout_ms=_POLL_MS)).values():
                    for record in records:
                        key = record.key.decode()
                        if record.value is None:
                            kept.pop(key, None)
                        else:
                            kept[key] = record.value
        finally:
            await consumer.stop()
        try:
            return Fleet(unpack(key, packed) for key, packed in kept.items())
        except ContractError as error:
            _log.error("%s; it is made anew from %s", error, ANOMALIES.name)
            fleet = Fleet()
            fleet.replaces(kept)
            return fleet

    async def write(self, fleet: Fleet, positions: dict[str, int]) -> None:
        """What has changed, and how far was read for it. Raises KafkaError; ProducerFenced where others write."""
        assert self._producer is not None, "open() first"
        changes: dict[str, Entry | None] = fleet.changes()
        if not changes and positions == fleet.head.positions:
            return
        fleet.head = msgspec.structs.replace(fleet.head, positions=positions)
        entries = [*changes.items(), (HEAD_KEY, fleet.head)]
        async with self._producer.transaction():
            sent = [
                await self._producer.send(
                    GROUP_STATE.name, None if entry is None else pack(entry), key=key.encode(), partition=0
                )
                for key, entry in entries
            ]
            await asyncio.gather(*sent)

    async def close(self) -> None:
        if self._producer is not None:
            await self._producer.stop()
