"""What the summarisers' group has committed, with its metadata; aiokafka's consumer tells only the offset.

Called by `processors/summarise.py` after an assignment, and by the repairer's look at what has closed.
"""

import asyncio
from collections.abc import Awaitable, Mapping
from typing import TypeVar

from aiokafka.client import AIOKafkaClient, CoordinationType
from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.commit import OffsetFetchRequest

from schemas.errors import RetryError
from schemas.kafka import Kafka
from schemas.topics import FRAMES
from schemas.watermark import Resume, from_metadata

GROUP = "robovitals.summarise"
KAFKA_TIMEOUT_S = 10.0

_Answer = TypeVar("_Answer")


class Group:
    """`open` it inside the loop that uses it."""

    def __init__(self, kafka: Kafka) -> None:
        self._kafka = kafka
        self._client: AIOKafkaClient | None = None

    async def open(self) -> None:
        """Raises KafkaError when no broker answers."""
        self._client = AIOKafkaClient(**self._kafka.client())
        await self._client.bootstrap()

    async def committed(self) -> dict[int, tuple[int, str]]:
        """For each partition of the frames that has a commit, its offset and metadata. Raises RetryError."""
        return await asked(self._fetch())

    async def resumes(self) -> Mapping[int, Resume]:
        """What rides with the commits. Raises RetryError."""
        found = {partition: from_metadata(text) for partition, (_, text) in (await self.committed()).items()}
        return {partition: resume for partition, resume in found.items() if resume is not None}

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()

    async def _fetch(self) -> dict[int, tuple[int, str]]:
        """Raises KafkaError. aiokafka's own question passes over an error of the whole group, such as a coordinator
        that is still loading: it would look as if nothing had ever been committed.
        """
        assert self._client is not None, "open() first"
        coordinator = await self._client.coordinator_lookup(CoordinationType.GROUP, GROUP)
        answer = await self._client.send(coordinator, OffsetFetchRequest(GROUP, None))
        partitions = [found for topic, rows in answer.topics if topic == FRAMES.name for found in rows]
        for code in (answer.error_code, *(code for *_, code in partitions)):
            if code:
                raise for_code(code)(f"the offsets of {GROUP} cannot be told")
        return {partition: (offset, metadata) for partition, offset, metadata, _ in partitions if offset >= 0}


async def asked(answer: Awaitable[_Answer]) -> _Answer:
    """What Kafka answers. Raises RetryError when it does not."""
    try:
        return await asyncio.wait_for(answer, KAFKA_TIMEOUT_S)
    except (KafkaError, TimeoutError) as error:
        raise RetryError(f"Kafka does not answer: {error!r}") from error
