"""Faults of the servers: the database and the broker. Each returns its victims and when it was over (monotonic)."""

import asyncio
import time
from contextlib import suppress
from random import Random

import asyncpg

from faults.kills import NotReached, Over
from faults.progress import PROCESSES
from faults.world import World

AWAY_S = 1.0
FAULTY_S = 3.0
COMMIT_WITHIN_S = 10.0

# A full disk as the server says it. A file system of a size of its own needs root, which not every machine gives.
_DISK_FULL = """
CREATE OR REPLACE FUNCTION disk_full() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE 'could not extend file: No space left on device' USING ERRCODE = '53100';
END $$;
CREATE TRIGGER disk_full BEFORE INSERT ON {0} FOR EACH STATEMENT EXECUTE FUNCTION disk_full()"""
_TABLES = ("frame", "vitals", "anomaly", "reject")


async def unclear_commit(world: World, chance: Random) -> Over:
    """The lander's connection is cut between COMMIT and its answer."""
    await asyncio.sleep(chance.uniform(0, 0.5))
    if not await world.proxy.cut(COMMIT_WITHIN_S):
        raise NotReached("no COMMIT came by")
    return ("land",), time.monotonic()


async def database_killed(world: World, chance: Random) -> Over:
    """`kill -9` of every process of the server, and its start."""
    await asyncio.to_thread(world.servers.database.kill)
    await asyncio.sleep(chance.uniform(0, AWAY_S))
    await asyncio.to_thread(world.servers.database.start)
    return PROCESSES, time.monotonic()


async def database_restarted(world: World, chance: Random) -> Over:
    """In order, which ends every session."""
    await asyncio.to_thread(world.servers.database.stop)
    await asyncio.sleep(chance.uniform(0, AWAY_S))
    await asyncio.to_thread(world.servers.database.start)
    return PROCESSES, time.monotonic()


async def database_locked(world: World, chance: Random) -> Over:
    """Somebody holds the table."""
    connection = await asyncpg.connect(world.database_url)
    try:
        async with connection.transaction():
            await connection.execute(f"LOCK TABLE {chance.choice(_TABLES)} IN ACCESS EXCLUSIVE MODE")
            await asyncio.sleep(FAULTY_S)
    finally:
        await connection.close()
    return ("land",), time.monotonic()


async def out_of_connections(world: World, chance: Random) -> Over:
    """All of them are taken by somebody else, the product's too."""
    taken: list[asyncpg.Connection] = []
    admin = await asyncpg.connect(world.database_url)
    until_s = time.monotonic() + FAULTY_S
    try:
        while time.monotonic() < until_s:
            await admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'robovitals land'"
            )
            with suppress(asyncpg.PostgresError, OSError):
                while True:
                    taken.append(await asyncpg.connect(world.database_url))
            await asyncio.sleep(0.1)
    finally:
        await asyncio.gather(*(connection.close() for connection in [admin, *taken]))
    return ("land",), time.monotonic()


async def disk_full(world: World, chance: Random) -> Over:
    """Inserting fails with 53100."""
    table = chance.choice(_TABLES[:2])
    connection = await asyncpg.connect(world.database_url)
    try:
        await connection.execute(_DISK_FULL.format(table))
        await asyncio.sleep(FAULTY_S)
        await connection.execute(f"DROP TRIGGER disk_full ON {table}")
    finally:
        await connection.close()
    return ("land",), time.monotonic()


async def broker_killed(world: World, chance: Random) -> Over:
    """`kill -9`, and its start."""
    return await broker_away(world, chance, chance.uniform(0, AWAY_S))


async def broker_away(world: World, chance: Random, seconds: float) -> Over:
    """`kill -9`, and its start after a while."""
    await asyncio.to_thread(world.servers.kafka.kill)
    await asyncio.sleep(seconds)
    await asyncio.to_thread(world.servers.kafka.start)
    return PROCESSES, time.monotonic()
