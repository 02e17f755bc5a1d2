"""The lander under pressure: a database that is locked, a burst, and one partition with most of the traffic."""

import asyncpg
from aiokafka.partitioner import DefaultPartitioner
from prometheus_client import CollectorRegistry

from ingest.source import POLL_RECORDS
from schemas.kafka import Kafka
from schemas.topics import DEFAULT_PARTITIONS, FRAMES
from support.land import CODES, SMALL, all_landed, frames, holds, landing, produce, until

PARTITIONS = list(range(DEFAULT_PARTITIONS))
MOST_BUFFERED = SMALL.records + POLL_RECORDS
# A transaction's number says which batches were first, whenever one looks.
HOT_BEFORE_LAST_OTHER = """
SELECT count(*) FROM frame WHERE robot_id = $1 AND xmin::text::bigint < (
    SELECT max(xmin::text::bigint) FROM frame WHERE robot_id <> $1)"""


def _gauge(registry: CollectorRegistry, name: str, **labels: str) -> float:
    value = registry.get_sample_value(f"robovitals_land_{name}", labels)
    assert value is not None, f"there is no gauge {name}"
    return value


def _buffered(registry: CollectorRegistry) -> float:
    return _gauge(registry, "buffered_records", topic=FRAMES.name)


def _partition(code: str) -> int:
    return DefaultPartitioner()(code.encode(), PARTITIONS, PARTITIONS)


async def test_a_locked_table_pauses_reading_within_bounds_and_then_all_lands(
    topics: Kafka, database_url: str, database: asyncpg.Connection
):
    registry = CollectorRegistry()
    await produce(topics, frames(20_000))
    lock = database.transaction()
    await lock.start()
    await database.execute("LOCK TABLE frame")
    async with landing(topics, database_url, registry) as lander:
        await until(
            holds(lambda: _gauge(registry, "paused_partitions") == DEFAULT_PARTITIONS), "full buffers pause"
        )
        assert _buffered(registry) <= MOST_BUFFERED
        await until(holds(lambda: "lock timeout" in (lander.not_ready() or "")), "it says what it waits for")
        assert _buffered(registry) <= MOST_BUFFERED
        assert _gauge(registry, "waiting_batches") <= 2
        await lock.rollback()
        await until(all_landed(database, 20_000), "all has landed")
        await until(holds(lambda: _gauge(registry, "paused_partitions") == 0), "reading goes on")
    assert await database.fetchval("SELECT count(*) FROM frame") == 20_000
    assert await database.fetchval("SELECT count(*) FROM reject") == 0


async def test_an_idle_time_and_then_a_burst_end_with_nothing_waiting(
    topics: Kafka, database_url: str, database: asyncpg.Connection
):
    registry = CollectorRegistry()

    def at_rest() -> bool:
        lag = registry.get_sample_value("robovitals_land_lag_records", {"topic": FRAMES.name})
        return lag == _buffered(registry) == _gauge(registry, "waiting_batches") == 0

    async with landing(topics, database_url, registry):
        await produce(topics, frames(10))
        await until(all_landed(database, 10), "a few have landed")
        await until(holds(at_rest), "nothing waits")
        await produce(topics, frames(40_000, first=10))
        await until(all_landed(database, 40_010), "the burst has landed")
        await until(holds(at_rest), "nothing waits again")


async def test_a_partition_with_nearly_all_of_the_traffic_delays_only_itself(
    topics: Kafka, database_url: str, database: asyncpg.Connection
):
    hot = _partition(CODES[0])
    many, few = frames(60_000, codes=CODES[:1]), frames(1_000, codes=[c for c in CODES if _partition(c) != hot])
    await produce(topics, many)
    await produce(topics, few)
    async with landing(topics, database_url):
        await until(all_landed(database, len(many) + len(few)), "all have landed")
    assert await database.fetchval(HOT_BEFORE_LAST_OTHER, CODES[0]) < len(many) / 2
