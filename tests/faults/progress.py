"""Whether a process is at work again, seen from outside.

In: a process's name. Out: how far it has come, and how far all had come at a moment. At work is: the lander has
landed, of each partition, a frame that came after the moment; the summariser has written to each partition of its
topic; the assessor has committed, of each, a message that came after it. Called by `faults/world.py`.
"""

import asyncio
import time
from contextlib import suppress
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from deploy.ledger import broker
from deploy.settings import Endpoints
from schemas.topics import ASSESSOR_APP, FRAMES, VITALS

LOOK_EVERY_S = 0.02
PROCESSES = ("land", "summarise", "assess")

Places = dict[int, int]
_LANDED = "SELECT partition, next_offset FROM landed WHERE topic = $1"


class Progress:
    """Asks again and again over connections that it keeps; a server that is away is no answer yet."""

    def __init__(self, servers: Endpoints) -> None:
        self._servers = servers
        self._connection: Any = None
        self._consumer: AIOKafkaConsumer | None = None

    async def close(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
        if self._consumer is not None:
            await self._consumer.stop()
        self._connection = self._consumer = None

    async def moment(self, process: str) -> Places:
        """Where the topic ends that the process is measured by, of each partition that has anything at all.

        Waits for a broker that is away, and for the topic's first record.
        """
        while True:
            with suppress(KafkaError, TimeoutError):
                ends = await self._ends(FRAMES if process == "land" else VITALS)
                if any(ends.values()):
                    return {partition: end for partition, end in ends.items() if end}
            await asyncio.sleep(LOOK_EVERY_S)

    async def until_past(self, process: str, moment: Places, timeout_s: float) -> bool:
        """Whether it got past that moment in time."""
        until_s = time.monotonic() + timeout_s
        while time.monotonic() < until_s:
            with suppress(KafkaError, TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                places = await asyncio.wait_for(self._places(process), 5.0)
                if all(places.get(partition, 0) > end for partition, end in moment.items()):
                    return True
            await asyncio.sleep(LOOK_EVERY_S)
        return False

    async def _places(self, process: str) -> Places:
        match process:
            case "land":
                return await self._landed()
            case "summarise":
                return await self._ends(VITALS)
        return await self._committed()

    async def _landed(self) -> Places:
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(self._servers.database_url, timeout=5)
        try:
            rows = await self._connection.fetch(_LANDED, FRAMES.name)
        except BaseException:
            self._connection.terminate()
            raise
        return {row["partition"]: row["next_offset"] for row in rows}

    async def _ends(self, topic: Any) -> Places:
        consumer = await self._asking()
        own = await broker.partitions(consumer, topic)
        return {tp.partition: end for tp, end in (await consumer.end_offsets(own)).items()}

    async def _committed(self) -> Places:
        consumer = await self._asking()
        own = await broker.partitions(consumer, VITALS)
        return {tp.partition: await consumer.committed(tp) or 0 for tp in own}

    async def _asking(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            consumer = AIOKafkaConsumer(
                **self._servers.kafka.client(), group_id=ASSESSOR_APP, enable_auto_commit=False
            )
            try:
                await consumer.start()
            except BaseException:
                await consumer.stop()
                raise
            self._consumer = consumer
        return self._consumer
