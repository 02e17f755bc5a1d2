"""Frames to Kafka, with backpressure: the one producer of `telemetry.frames` for replay and simulate.

In: frames. Out: records keyed by robot code, idempotent, compressed and lingering; what the broker acknowledged by
partition. `send` waits while a partition's batch is full, so memory stays bounded however fast frames are made.
"""

import asyncio
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, KafkaError
from aiokafka.partitioner import DefaultPartitioner

from ingest.sealing import Sealing
from schemas.errors import RetryError, UnavailableError
from schemas.frame import Frame, encode_frame
from schemas.kafka import Kafka
from schemas.topics import FRAMES

LINGER_MS = 10
BATCH_BYTES = 256 * 1024
# aiokafka runs lz4 at level 9 always: 24 µs a frame of 1.4 kB. zstd takes 6 µs, packs closer and unpacks alike.
COMPRESSION = "zstd"


@dataclass(slots=True)
class Acknowledged:
    """What the broker has: how many records, and for each partition the first and last offset of ours."""

    records: int = 0
    first: dict[int, int] = field(default_factory=dict)
    last: dict[int, int] = field(default_factory=dict)

    def take(self, partition: int, offset: int) -> None:
        self.records += 1
        self.first[partition] = min(offset, self.first.get(partition, offset))
        self.last[partition] = max(offset, self.last.get(partition, offset))


class Publisher:
    """`async with Publisher(kafka, client_id) as publisher: await publisher.send(frame)`.

    Leaving without an error flushes. Raises UnavailableError when no broker answers or the topic is missing, and
    RetryError when the broker did not acknowledge something: what was sent then is not known, `failed` counts it.
    """

    def __init__(self, kafka: Kafka, client_id: str, sealing: Sealing | None = None) -> None:
        self._kafka = kafka
        self._client_id = client_id
        self._sealing = sealing or Sealing()
        self._producer: Any = None
        self._partitions: list[int] = []
        self._partition_of: dict[str, int] = {}
        self.acknowledged = Acknowledged()
        self.failed = 0
        self._error: BaseException | None = None

    async def __aenter__(self) -> "Publisher":
        self._producer = AIOKafkaProducer(
            **self._kafka.client(),
            client_id=self._client_id,
            enable_idempotence=True,
            compression_type=COMPRESSION,
            linger_ms=LINGER_MS,
            max_batch_size=BATCH_BYTES,
        )
        try:
            await self._producer.start()
            metadata = await self._producer.client.fetch_all_metadata()
            self._partitions = sorted(metadata.partitions_for_topic(FRAMES.name) or ())
            if not self._partitions:
                raise UnavailableError(f"topic {FRAMES.name} does not exist: `robovitals topics`")
        except KafkaConnectionError:
            await self._producer.stop()
            raise UnavailableError(
                f"no Kafka answers at {self._kafka}: `robovitals doctor`, or correct ROBOVITALS_KAFKA_BOOTSTRAP"
            ) from None
        except BaseException:
            await self._producer.stop()
            raise
        return self

    async def send(self, frame: Frame) -> None:
        """Hand over one frame. Raises RetryError as soon as an earlier one is known to have failed."""
        if self._error is not None:
            raise self._failure()
        key, partition = frame.robot_id.encode(), self._partition_of.get(frame.robot_id)
        if partition is None:
            # The default partitioner's murmur2 is written in Python: 12 µs a key, so once a robot.
            partition = DefaultPartitioner()(key, self._partitions, self._partitions)
            self._partition_of[frame.robot_id] = partition
        try:
            value = encode_frame(frame)
            headers = self._sealing.headers(frame.robot_id, value, time.time_ns() // 1000)
            sent = await self._producer.send(FRAMES.name, value, key, partition, headers=headers)
        except KafkaError as error:
            self._note(error)
            raise self._failure() from None
        sent.add_done_callback(self._settled)

    async def flush(self) -> None:
        """Wait until everything handed over is acknowledged."""
        try:
            await self._producer.flush()
        except KafkaError as error:
            self._note(error)
        await asyncio.sleep(0)  # the callbacks of the last batch run now
        if self._error is not None:
            raise self._failure()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                await self.flush()
        finally:
            await self._producer.stop()

    def _settled(self, sent: "asyncio.Future[Any]") -> None:
        if sent.cancelled():
            return
        if error := sent.exception():
            self._note(error)
        else:
            record = sent.result()
            self.acknowledged.take(record.partition, record.offset)

    def _note(self, error: BaseException) -> None:
        self.failed += 1
        self._error = self._error or error

    def _failure(self) -> RetryError:
        return RetryError(
            f"Kafka at {self._kafka} did not acknowledge a frame ({type(self._error).__name__}: {self._error})"
        )
