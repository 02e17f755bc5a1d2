"""A real Kafka and a real TimescaleDB for the integration tests, started once a run in a directory of their own.

`servers` is the pair, for tests that crash one; `stack` is where they are. `database_url` is a fresh migrated
database for one test, `database` a connection to it; `topics` gives one test empty topics on the shared broker,
`lander` a lander between the two. What cannot start, fails.
"""

import itertools
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import psycopg
import pytest
from psycopg import sql

from deploy.local.servers import Servers
from deploy.migrate import migrate
from deploy.settings import Endpoints, read_settings
from deploy.topics import delete_all, ensure
from ingest.landing import Landing
from processors.notify import outbox
from processors.notify.receivers import Config
from schemas.kafka import Kafka
from schemas.topics import ANOMALIES, FRAMES, HEALTH, VITALS
from support.pipeline import Pipeline, pipeline
from support.simulated import AT, Simulated

TEMPLATE = "migrated"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with Servers(tmp_path_factory.mktemp("servers"), read_settings().cache) as servers:
        yield servers


@pytest.fixture(scope="session")
def stack(servers: Servers) -> Endpoints:
    return servers.endpoints


@pytest.fixture(scope="session")
def template(stack: Endpoints) -> str:
    """The name of a migrated database, which each test clones: faster than migrating again."""
    _execute(stack.database_url, "CREATE DATABASE {}", TEMPLATE)
    migrate(database_called(stack.database_url, TEMPLATE))
    # TimescaleDB's background workers look into every database they may, and one that is in use cannot be cloned.
    _execute(stack.database_url, "ALTER DATABASE {} WITH ALLOW_CONNECTIONS false", TEMPLATE)
    in_use = f"FROM pg_stat_activity WHERE datname = '{TEMPLATE}'"
    _execute(stack.database_url, f"SELECT pg_terminate_backend(pid) {in_use}")
    return TEMPLATE


@pytest.fixture
def database_url(stack: Endpoints, template: str) -> Iterator[str]:
    name = f"test_{next(_numbers)}"
    _execute(stack.database_url, "CREATE DATABASE {} TEMPLATE {}", name, template)
    yield database_called(stack.database_url, name)
    _execute(stack.database_url, "DROP DATABASE {} WITH (FORCE)", name)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.fixture
def kafka(stack: Endpoints) -> Kafka:
    return stack.kafka


@pytest.fixture
async def topics(kafka: Kafka) -> Kafka:
    """The broker, with every topic of ours there and empty."""
    await delete_all(kafka)
    await ensure(kafka)
    return kafka


@pytest.fixture
async def landing(database_url: str) -> AsyncIterator[Landing]:
    landing = Landing(database_url)
    for topic in (FRAMES, VITALS, HEALTH, ANOMALIES):
        await landing.offsets(topic.name, {0: 0, 1: 0})
    yield landing
    await landing.close()


@pytest.fixture
def lander(tmp_path: Path, topics: Kafka, database_url: str) -> Iterator[Pipeline]:
    """A lander on empty topics and an empty database."""
    with pipeline(tmp_path, topics, database_url) as running:
        running.start("land")
        yield running


def database_called(url: str, name: str) -> str:
    """The URL of another database on the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def _execute(url: str, query: str, *names: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL(query).format(*map(sql.Identifier, names)))


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[asyncpg.Pool]:
    async with asyncpg.create_pool(database_url, min_size=1, max_size=6) as pool:
        yield pool


@pytest.fixture
async def simulated(pool: asyncpg.Pool) -> Callable[..., Any]:
    async def make(config: Config, ago_us: int = 0) -> Simulated:
        """Begins so long ago: a receiver that verifies wants a time stamp of now at the end."""
        made = Simulated(pool, config, time.time_ns() // 1000 - ago_us)
        await made.queue.register([*config.receivers.values()])
        async with pool.acquire() as connection:
            await outbox.offsets(connection, {AT: 0})
        return made

    return make
