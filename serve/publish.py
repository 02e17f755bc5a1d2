"""What the server itself puts on topics: operators' actions, rejects that are driven again, entries for logbooks.

In: records. Out: where the broker has them. Called by routes.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from itertools import repeat

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from schemas.errors import UnavailableError
from schemas.kafka import Kafka
from schemas.seal import HEADER

SEND_WITHIN_S = 10.0


class Publisher:
    """Its producer lives from the first record on; one that failed is replaced, since it may be stuck for good."""

    def __init__(self, kafka: Kafka) -> None:
        self._kafka = kafka
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()

    async def publish(
        self, topic: str, records: list[tuple[bytes | None, bytes]], seals: Sequence[bytes | None] | None = None
    ) -> list[tuple[int, int]]:
        """Keys and values, in their order, with the robots' seals where they have some. Returns the partition and
        offset of each. Raises UnavailableError; some of them may be there nevertheless.
        """
        if not records:
            return []
        try:
            async with asyncio.timeout(SEND_WITHIN_S):
                producer = await self._started()
                sent = [
                    await producer.send(topic, value, key=key, headers=seal and [(HEADER, seal)])
                    for (key, value), seal in zip(records, seals or repeat(None), strict=False)
                ]
                return [(one.partition, one.offset) for one in [await future for future in sent]]
        except (KafkaError, OSError, TimeoutError) as error:
            await self.close()
            raise UnavailableError(f"Kafka does not take it ({error!r}): `robovitals status`") from None

    async def close(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            with suppress(KafkaError, OSError, TimeoutError):
                async with asyncio.timeout(SEND_WITHIN_S):
                    await producer.stop()

    async def _started(self) -> AIOKafkaProducer:
        async with self._starting:
            if self._producer is None:
                producer = AIOKafkaProducer(**self._kafka.client(), enable_idempotence=True)
                try:
                    await producer.start()
                except BaseException:  # also when our time is over: its connections must not stay
                    await producer.stop()
                    raise
                self._producer = producer
            return self._producer
