"""What every route has at hand: the database as the one who asks may see it.

In: a pool of connections. Out: a connection in a transaction that can only read, under the role that the second
wall of `deploy/migrations/*_access.sql` holds for, with the prefixes of the person. Called by routes. A route that
forgot to ask who it is for would see nothing.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import asyncpg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schemas.errors import UnavailableError
from schemas.limits import Limits
from serve.database import prepare, told_as_ours
from serve.metrics import ServeMetrics
from serve.people import Person, Role
from serve.report.making import Signer
from serve.throttle import Throttle
from serve.trust import Trust

POOL = 8
ROLE = "robovitals_server"
"""What the server may do at most, whoever it logs in as (`deploy/migrations/*_left.sql`)."""
ANSWER_WITHIN_S = 20.0
NOBODY_ELSE = Trust()
SIGNAL_TABLES = Limits()

_AS_READER = (
    "SELECT set_config('search_path', 'visible, ' || current_setting('search_path'), true),"
    " set_config('robovitals.prefixes', $1, true), set_config('robovitals.personal', $2, true),"
    " set_config('role', 'robovitals_reader', true)"
)


class Context:
    """Created once a process. `connect` before, `close` after. `limits`: those that the processes judge by;
    `platforms`: the public keys that logbooks are sealed by; `key`: signs reports, None: they are not signed.
    """

    def __init__(
        self,
        database_url: str,
        metrics: ServeMetrics,
        trust: Trust = NOBODY_ELSE,
        limits: Limits = SIGNAL_TABLES,
        platforms: frozenset[str] = frozenset(),
        key: Ed25519PrivateKey | None = None,
    ) -> None:
        self.trust = trust
        self.limits = limits
        self.platforms = platforms
        self.signer = Signer(key, platforms)
        self.throttle = Throttle()
        self._database_url = database_url
        self._pool: asyncpg.Pool | None = None
        self.metrics = metrics

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
                server_settings={"role": ROLE},
            )
        except asyncpg.InvalidParameterValueError:
            raise UnavailableError(f"the database has no role {ROLE}: `robovitals migrate`") from None
        except (OSError, TimeoutError, asyncpg.PostgresError) as error:
            raise UnavailableError(f"the database does not answer ({error}): `robovitals doctor`") from None

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.close()

    @asynccontextmanager
    async def own(self) -> AsyncIterator[asyncpg.Connection]:
        """As ourselves: for who may log in, and what the server itself keeps."""
        assert self._pool is not None, "connect() comes first"
        with told_as_ours():
            async with self._pool.acquire(timeout=ANSWER_WITHIN_S) as connection:
                yield cast(asyncpg.Connection, connection)

    @asynccontextmanager
    async def reading(self, person: Person) -> AsyncIterator[asyncpg.Connection]:
        """As `person`: what they may not see is not there, and nothing can be written."""
        async with self.own() as connection, connection.transaction(readonly=True):
            personal = "on" if person.role.may(Role.OPERATOR) else "off"
            await connection.execute(_AS_READER, ",".join(person.prefixes), personal)
            yield connection
