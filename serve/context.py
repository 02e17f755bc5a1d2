"""What every route has at hand: the database as the one who asks may see it.

In: a pool of connections. Out: a connection in a transaction that can only read, under the role that the second
wall of `deploy/migrations/*_access.sql` holds for, with the prefixes of the person. Called by routes. A route that
forgot to ask who it is for would see nothing.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import cast

import asyncpg
from asyncpg import exceptions as driver

from schemas.errors import UnavailableError
from schemas.limits import Limits
from serve.database import prepare
from serve.metrics import ServeMetrics
from serve.people import Person
from serve.throttle import Throttle
from serve.trust import Trust

POOL = 8
ANSWER_WITHIN_S = 20.0
NOBODY_ELSE = Trust()
SIGNAL_TABLES = Limits()

# What a database says that is restarting, full or on its way down: whoever asked may ask again.
_AWAY = (
    OSError,
    TimeoutError,
    driver.InterfaceError,
    driver.InternalClientError,
    driver.PostgresConnectionError,
    driver.OperatorInterventionError,
    driver.InsufficientResourcesError,
    driver.TransactionRollbackError,
)

_AS_READER = (
    "SELECT set_config('search_path', 'visible, ' || current_setting('search_path'), true),"
    " set_config('robovitals.prefixes', $1, true), set_config('role', 'robovitals_reader', true)"
)


class Context:
    """Created once a process. `connect` before, `close` after. `limits`: those that the processes judge by."""

    def __init__(
        self,
        database_url: str,
        metrics: ServeMetrics,
        trust: Trust = NOBODY_ELSE,
        limits: Limits = SIGNAL_TABLES,
    ) -> None:
        self.trust = trust
        self.limits = limits
        self.throttle = Throttle()
        self._database_url = database_url
        self._pool: asyncpg.Pool | None = None
        self.metrics = metrics
        self.streams = 0
        self.exports = 0

    async def connect(self) -> None:
        """Raises UnavailableError when the database does not answer."""
        try:
            self._pool = await asyncpg.create_pool(
                self._database_url,
                min_size=1,
                max_size=POOL,
                timeout=10,
                command_timeout=ANSWER_WITHIN_S,
                init=prepare,
            )
        except (OSError, TimeoutError, asyncpg.PostgresError) as error:
            raise UnavailableError(f"the database does not answer ({error}): `robovitals doctor`") from None

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.close()

    @contextmanager
    def streaming(self) -> Iterator[None]:
        """One more page that listens."""
        self.streams += 1
        self.metrics.stream_clients.set(self.streams)
        try:
            yield
        finally:
            self.streams -= 1
            self.metrics.stream_clients.set(self.streams)

    @contextmanager
    def exporting(self) -> Iterator[None]:
        """One more file that somebody takes away."""
        self.exports += 1
        try:
            yield
        finally:
            self.exports -= 1

    @asynccontextmanager
    async def own(self) -> AsyncIterator[asyncpg.Connection]:
        """As ourselves: for who may log in, and what the server itself keeps."""
        assert self._pool is not None, "connect() comes first"
        try:
            async with self._pool.acquire(timeout=ANSWER_WITHIN_S) as connection:
                yield cast(asyncpg.Connection, connection)
        except _AWAY as error:
            raise UnavailableError(f"the database went away ({error!r}): `robovitals doctor`") from None

    @asynccontextmanager
    async def reading(self, person: Person) -> AsyncIterator[asyncpg.Connection]:
        """As `person`: what they may not see is not there, and nothing can be written."""
        async with self.own() as connection, connection.transaction(readonly=True):
            await connection.execute(_AS_READER, ",".join(person.prefixes))
            yield connection
