"""A secured Kafka for tests, and robots that are users of it."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from deploy.kafka_users import Admin, allow_producing, create_user
from deploy.local.kafka import KafkaServer
from schemas.kafka import Kafka
from schemas.robot_code import make_code
from schemas.topics import FRAMES

PASSWORD = "hunter2-of-a-robot"
REAUTHENTICATE_MS = 4_000
"""So short that every connection of a test has to begin anew some time."""
WITHIN_S = 120.0

_numbers = itertools.count(1)


class Secured:
    """`kafka` is the administrator's."""

    def __init__(self, server: KafkaServer) -> None:
        self.server = server
        self.kafka = server.access
        self.admin = Admin(self.kafka)

    def user(self, name: str, password: str | None = PASSWORD) -> Kafka:
        """How somebody would reach it who calls himself so."""
        return Kafka(self.kafka.bootstrap, name, password, self.kafka.ca)

    def robot(self) -> Kafka:
        """A robot as it is registered: it may write frames, and nothing else."""
        code = make_code("ZZ", "TEST", "SECURE", f"{next(_numbers)}")
        create_user(self.admin, code, PASSWORD)
        allow_producing(self.admin, code, [FRAMES.name])
        return self.user(code)


@asynccontextmanager
async def producing(kafka: Kafka, **settings: Any) -> AsyncIterator[AIOKafkaProducer]:
    """An idempotent producer, as robots have."""
    producer = AIOKafkaProducer(
        **kafka.client(), **{"enable_idempotence": True, "request_timeout_ms": 5_000, **settings}
    )
    try:
        await producer.start()
        yield producer
    finally:
        # What it still holds it would send for as long as nobody lets it.
        with suppress(TimeoutError):
            await asyncio.wait_for(producer.stop(), 5)


async def refused(producer: AIOKafkaProducer, topic: str) -> str:
    """The name of the error that a record to `topic` gets."""
    try:
        await asyncio.wait_for(producer.send_and_wait(topic, b"x", b"k"), WITHIN_S)
    except KafkaError as error:
        return type(error).__name__
    return "taken"
