"""What the summarisers' group has committed, with its metadata; aiokafka's consumer tells only the offset.

Called by `processors/summarise.py` after an assignment, and by the repairer's look at what has closed.
"""

import asyncio
from collections.abc import Awaitable, Mapping
from typing import TypeVar

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from schemas.errors import RetryError
from schemas.topics import FRAMES
from schemas.watermark import Resume, from_metadata

GROUP = "robovitals.summarise"
KAFKA_TIMEOUT_S = 10.0

_Answer = TypeVar("_Answer")


class Group:
    """`open` it inside the loop that uses it."""

    def __init__(self, kafka_bootstrap: str) -> None:
        self._bootstrap = kafka_bootstrap
        self._admin: AIOKafkaAdminClient | None = None

    async def open(self) -> None:
        """Raises KafkaError when no broker answers."""
        self._admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap)
        await self._admin.start()

    async def committed(self) -> dict[int, tuple[int, str]]:
        """For each partition of the frames that has a commit, its offset and metadata. Raises RetryError."""
        assert self._admin is not None, "open() first"
        offsets = await asked(self._admin.list_consumer_group_offsets(GROUP))
        return {
            tp.partition: (found.offset, found.metadata)
            for tp, found in offsets.items()
            if tp.topic == FRAMES.name and found.offset >= 0
        }

    async def resumes(self) -> Mapping[int, Resume]:
        """What rides with the commits. Raises RetryError."""
        found = {partition: from_metadata(text) for partition, (_, text) in (await self.committed()).items()}
        return {partition: resume for partition, resume in found.items() if resume is not None}

    async def close(self) -> None:
        if self._admin is not None:
            await self._admin.close()


async def asked(answer: Awaitable[_Answer]) -> _Answer:
    """What Kafka answers. Raises RetryError when it does not."""
    try:
        return await asyncio.wait_for(answer, KAFKA_TIMEOUT_S)
    except (KafkaError, TimeoutError) as error:
        raise RetryError(f"Kafka does not answer: {error!r}") from error
