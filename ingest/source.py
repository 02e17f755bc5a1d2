"""The lander's side of Kafka: one consumer, and what to do about each of its errors.

In: partitions and offsets. Out: records. Called by `ingest/land.py` and `ingest/positions.py`. A retriable error is
waited for; an offset that the log does not have, and whatever waiting will not help, ends the lander.
"""

import asyncio
import logging
from collections.abc import Awaitable, Collection, Mapping
from contextlib import suppress
from typing import TypeVar

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError

from ingest.batch import Record
from schemas.errors import ContractError, RetryError, StopError, UnavailableError
from schemas.kafka import Kafka
from schemas.topics import MAX_RECORD_BYTES

GROUP = "robovitals.land"

# After kill -9 a partition waits this long for another lander, unless membership is static.
SESSION_TIMEOUT_S = 10.0

POLL_RECORDS = 2_000  # of one poll: some 15 ms in which the loop does nothing else
POLL_TIMEOUT_S = 0.2
# A fetch leaves out partitions of which something is still buffered: what comes for these waits until it is over.
FETCH_WAIT_MS = 50
_REQUEST_TIMEOUT_S = 10.0

_log = logging.getLogger(__name__)
_Answer = TypeVar("_Answer")


class Source:
    """The topics that are landed, as a member of the group. Offsets are never taken from the group."""

    def __init__(
        self,
        kafka: Kafka,
        topics: Collection[str],
        instance: str | None,
        listener: ConsumerRebalanceListener,
    ) -> None:
        self._kafka = kafka
        self._topics = topics
        self._instance = instance
        self._listener = listener
        self._consumer = AIOKafkaConsumer(
            **kafka.client(),
            group_id=GROUP,
            group_instance_id=instance,
            enable_auto_commit=False,
            auto_offset_reset="none",
            session_timeout_ms=int(SESSION_TIMEOUT_S * 1000),
            heartbeat_interval_ms=int(SESSION_TIMEOUT_S * 1000 / 4),
            max_partition_fetch_bytes=2 * MAX_RECORD_BYTES,
            fetch_max_bytes=64 * 1024 * 1024,
            fetch_max_wait_ms=FETCH_WAIT_MS,
        )

    async def start(self, stop: asyncio.Event) -> None:
        """Connect and join the group, or return at `stop`. Raises UnavailableError."""
        connecting, stopping = asyncio.create_task(self._connect()), asyncio.create_task(stop.wait())
        await asyncio.wait({connecting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        (stopping if connecting.done() else connecting).cancel()
        try:
            with suppress(asyncio.CancelledError):
                await connecting
        except KafkaError as error:
            raise UnavailableError(
                f"Kafka at {self._kafka} cannot be used ({error!r}): `robovitals doctor`"
            ) from None

    async def _connect(self) -> None:
        await self._consumer.start()
        missing = set(self._topics) - await self._consumer.topics()
        if missing:
            raise UnavailableError(self._kafka.without(missing))
        self._consumer.subscribe(self._topics, listener=self._listener)

    async def stop(self) -> None:
        """Leave the group."""
        with suppress(KafkaError, TimeoutError):
            await asyncio.wait_for(self._consumer.stop(), _REQUEST_TIMEOUT_S)

    async def poll(
        self, partitions: Collection[TopicPartition], patience_s: float
    ) -> dict[TopicPartition, list[Record]]:
        """Records of `partitions`, of all if there are none; nothing after `patience_s`. Raises StopError."""
        try:
            # While partitions are being assigned getmany waits for that, however long it takes.
            async with asyncio.timeout(patience_s + POLL_TIMEOUT_S):
                polled: dict[TopicPartition, list[Record]] = await self._consumer.getmany(
                    *partitions, timeout_ms=int(1000 * patience_s), max_records=POLL_RECORDS
                )
        except TimeoutError:
            return {}
        except NoOffsetForPartitionError:
            return {}  # just assigned, and not sought yet
        except OffsetOutOfRangeError as error:
            raise ContractError(f"Kafka no longer has what is to be landed next: {error}") from None
        except KafkaError as error:
            if not error.retriable:
                twice = "; does another lander have the same ROBOVITALS_INSTANCE?" if self._instance else ""
                raise StopError(f"Kafka says: {error!r}{twice}") from error
            _log.warning("Kafka says: %r", error)
            await asyncio.sleep(POLL_TIMEOUT_S)
            return {}
        await asyncio.sleep(0)  # a poll that finds records does not let others have their turn
        return polled

    def seek(self, positions: Mapping[TopicPartition, int]) -> None:
        """Read on from there."""
        for tp, offset in positions.items():
            self._consumer.seek(tp, offset)
        self._consumer.resume(*positions)

    def pause(self, partitions: Collection[TopicPartition]) -> None:
        """Polls find nothing of them; they still keep the membership."""
        self._consumer.pause(*partitions)

    def resume(self, partitions: Collection[TopicPartition]) -> None:
        self._consumer.resume(*partitions)

    async def beginnings(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """Where their logs begin. Raises RetryError."""
        return await _asked(self._consumer.beginning_offsets(list(partitions)))

    async def ends(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """Where their logs end. Raises RetryError."""
        return await _asked(self._consumer.end_offsets(list(partitions)))

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """The group's offsets, for outside tools: nothing here reads them. Raises RetryError."""
        await _asked(self._consumer.commit(dict(offsets)))


async def _asked(answer: Awaitable[_Answer]) -> _Answer:
    try:
        return await asyncio.wait_for(answer, _REQUEST_TIMEOUT_S)
    except (KafkaError, IllegalStateError, TimeoutError) as error:
        raise RetryError(f"Kafka does not answer: {error!r}") from error
