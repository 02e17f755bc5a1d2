"""A lander in the test's own process, frames for it, and waiting for what it does."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress

import asyncpg
from aiokafka import AIOKafkaProducer
from prometheus_client import CollectorRegistry

from ingest.land import Lander, LandSettings
from ingest.land_metrics import LandMetrics
from ingest.pending import BatchPolicy
from schemas.frame import encode_frame
from schemas.kafka import Kafka
from schemas.robot_code import make_code
from schemas.topics import FRAMES, MAX_RECORD_BYTES
from support.frames import TIME_US, frame

WITHIN_S = 120.0  # long enough for a slow machine under load: only a test that fails waits for it
CODES = [make_code("ZZ", "TEST", "MODEL1", f"{i}") for i in range(20)]
SMALL = BatchPolicy(records=500)
LANDED = "SELECT coalesce(sum(next_offset), 0)::bigint FROM landed WHERE topic = $1"
WAITING = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'robovitals land' AND wait_event_type = 'Lock'"""

Records = Sequence[tuple[bytes | None, bytes]]


async def until(true: Callable[[], Awaitable[bool]], what: str) -> None:
    until_s = time.monotonic() + WITHIN_S
    while not await true():
        assert time.monotonic() < until_s, f"in {WITHIN_S:.0f} s not: {what}"
        await asyncio.sleep(0.05)


async def produce(kafka: Kafka, records: Records, topic: str = FRAMES.name) -> None:
    producer = AIOKafkaProducer(
        **kafka.client(), enable_idempotence=True, linger_ms=5, max_request_size=2 * MAX_RECORD_BYTES
    )
    await producer.start()
    try:
        sent = [await producer.send(topic, value, key=key) for key, value in records]
        await asyncio.gather(*sent)
    finally:
        await producer.stop()


def frames(count: int, first: int = 0, codes: Sequence[str] = CODES) -> list[tuple[bytes, bytes]]:
    """Frames of these robots by turns. Every 50th has an impossible value, every 7th lacks its second joint."""
    made = []
    for n in range(first, first + count):
        code, readings = (
            codes[n % len(codes)],
            {"joint_temperature_c": [20.0 + n % 50, None if n % 7 == 0 else 30.5]},
        )
        if n % 50 == 0:
            readings["battery_temperature_c"] = 255.0
        made.append(
            (code.encode(), encode_frame(frame(readings, robot_id=code, seq=n, time_us=TIME_US + 1000 * n)))
        )
    return made


@asynccontextmanager
async def landing(
    kafka: Kafka, url: str, registry: CollectorRegistry | None = None, **settings: object
) -> AsyncIterator[Lander]:
    """A lander in this process; what ends it is raised here."""
    chosen = LandSettings(kafka, url, **{"batches": SMALL, **settings})
    lander, stop = Lander(chosen, LandMetrics.create(registry or CollectorRegistry())), asyncio.Event()
    running = asyncio.create_task(lander.run(stop))
    watching = asyncio.create_task(_ended(running, asyncio.current_task()))
    try:
        yield lander
    except asyncio.CancelledError:
        if not running.done():
            raise
    finally:
        watching.cancel()
        stop.set()
        await running


async def _ended(running: asyncio.Task[None], test: asyncio.Task[None] | None) -> None:
    """A lander that ends by itself ends the test's waiting."""
    with suppress(Exception):
        await asyncio.shield(running)
    if test is not None:
        test.cancel()


def all_landed(
    database: asyncpg.Connection, records: int, topic: str = FRAMES.name
) -> Callable[[], Awaitable[bool]]:
    async def landed() -> bool:
        return await database.fetchval(LANDED, topic) >= records

    return landed


@asynccontextmanager
async def held(url: str, table: str) -> AsyncIterator[None]:
    """Nobody writes to the table meanwhile: a lander that has something to land stops there, in its transaction.

    However fast the lander is, what it has begun is not landed before the end of this.
    """
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await connection.execute(f"LOCK TABLE {table} IN SHARE MODE")
            yield
    finally:
        await connection.close()


def stopped_in_its_transaction(database: asyncpg.Connection) -> Callable[[], Awaitable[bool]]:
    """Whether a lander waits for what is `held`. Asked on another connection than the one that holds it."""

    async def waits() -> bool:
        return bool(await database.fetchval(WAITING))

    return waits


def holds(true: Callable[[], bool]) -> Callable[[], Awaitable[bool]]:
    async def answer() -> bool:
        return true()

    return answer
