"""A lander's connection: lost in a batch, lost in a COMMIT, refused."""

import asyncio
from typing import Any

import asyncpg
import pytest

from ingest.landing import Landed, Landing
from schemas.errors import RetryError, UnavailableError
from schemas.topics import FRAMES
from support.frames import frame
from support.land import held, stopped_in_its_transaction, until
from support.landing import frames_batch, next_offset


async def _kill_sessions(database: asyncpg.Connection) -> None:
    await database.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'robovitals land'"
        " AND datname = current_database()"
    )


async def test_a_connection_lost_in_a_batch_is_a_retry_and_the_next_attempt_opens_another(
    landing: Landing, database: asyncpg.Connection, database_url: str
):
    # Killed while idle, it may be found closed and opened anew before anything is lost: so kill it in its COPY.
    async with held(database_url, "frame"):
        attempt = asyncio.create_task(landing.land(frames_batch(frame())))
        await until(stopped_in_its_transaction(database), "the batch waits for the lock")
        await _kill_sessions(database)
        with pytest.raises(RetryError):
            await attempt
    assert await landing.land(frames_batch(frame())) == Landed(0)


class LostCommits(Landing):
    """A connection that is lost in a COMMIT, before the server did it or after."""

    def __init__(self, url: str, done: bool) -> None:
        super().__init__(url)
        self._done = done

    async def connect(self) -> None:
        await super().connect()
        connection = self._connection
        execute = connection.execute

        async def losing(query: str, *arguments: Any, **options: Any) -> str:
            if query != "COMMIT":
                return await execute(query, *arguments, **options)
            if self._done:
                await execute(query)
            connection.terminate()
            raise ConnectionResetError("reset by peer")

        if not hasattr(connection, "losing"):
            self._connection = _Losing(connection, losing)


class _Losing:
    """A connection with another `execute`: asyncpg's own has no place for one."""

    losing = True

    def __init__(self, connection: asyncpg.Connection, execute: Any) -> None:
        self._connection = connection
        self.execute = execute

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


async def test_a_lost_commit_that_was_done_is_found_in_the_offsets(
    landing: Landing, database_url: str, database: asyncpg.Connection
):
    losing = LostCommits(database_url, done=True)
    assert await losing.land(frames_batch(frame(seq=0), frame(seq=1))) == Landed(0)
    assert await next_offset(database) == 2
    await losing.close()


async def test_a_lost_commit_that_was_not_done_is_tried_again(
    landing: Landing, database_url: str, database: asyncpg.Connection
):
    losing = LostCommits(database_url, done=False)
    with pytest.raises(RetryError, match="COMMIT"):
        await losing.land(frames_batch(frame(seq=0)))
    await losing.close()
    assert await next_offset(database) == 0
    assert await landing.land(frames_batch(frame(seq=0))) == Landed(0)
    assert await database.fetchval("SELECT count(*) FROM frame") == 1


async def test_a_database_that_was_never_migrated_is_named(stack, database: asyncpg.Connection):
    landing = Landing(stack.database_url)
    with pytest.raises(Exception, match="`robovitals migrate`"):
        await landing.offsets(FRAMES.name, {0: 0})
    await landing.close()


async def test_a_wrong_password_stops_and_does_not_wait(database_url: str):
    user, _, place = database_url.partition("@")
    with pytest.raises(UnavailableError, match="password"):
        await Landing(f"{user.rsplit(':', 1)[0]}:wrong@{place}").connect()
