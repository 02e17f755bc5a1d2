"""What the tables say of seals, for a process that verifies frames: read every few seconds, beside its own loop.

In: the database, and the process with its keyring. Out: the same process, whose keyring is kept up to date. Called
by the commands `land` and `summarise`, which may not share a module of their own. A database that does not answer
is waited for, with what was known last: nothing can be changed in it meanwhile.
"""

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import TypeAlias

import asyncpg
from prometheus_client import CollectorRegistry, Counter

from deploy.master_print import agree
from deploy.seal_master import read_master
from deploy.settings import SEAL_MASTER, Settings
from deploy.shell import Process
from processors.retention import keep_times
from processors.transient import look_until
from schemas.errors import StopError
from schemas.keyring import POLICIES, REFRESH_S, KeyEnd, Keyring, PolicyChange

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

TIMEOUT_S = 4.0
"""Of a look as a whole, so that one that gets no answer ends, and the next is made, before a change holds."""

# Times travel as microseconds, since a double cannot hold a timestamptz exactly.
_POLICIES = "SELECT maker, (extract(epoch FROM since) * 1000000)::bigint AS since_us, policy FROM seal_policy"
_ENDS = """
SELECT robot_id, key_version, (extract(epoch FROM ends) * 1000000)::bigint AS ends_us, change
FROM robot_credential WHERE ends IS NOT NULL AND change > $1 ORDER BY change"""


def verified(
    settings: Settings, database_url: str, make: Callable[[CollectorRegistry, Keyring | None], Process]
) -> "Callable[[CollectorRegistry], Verifying]":
    """How a process is built that verifies frames where there is a master key. `make` makes the process itself."""
    master = read_master(settings)
    kept = keep_times(os.environ)["frame"]
    rows_last_us = None if kept is None else kept // timedelta(microseconds=1)
    keyring = None if master is None else Keyring(master, rows_last_us)
    return lambda registry: Verifying(make(registry, keyring), keyring, master, database_url, registry)


class Verifying:
    """A `Process` of `deploy/shell.py` around another. `keyring` None: there is no master key, and the process does
    not verify; then it is only made sure that nobody believes it does.
    """

    def __init__(
        self,
        process: Process,
        keyring: Keyring | None,
        master: bytes | None,
        database_url: str,
        registry: CollectorRegistry,
    ) -> None:
        self._process = process
        self._keyring = keyring
        self._master = master
        self._database_url = database_url
        self._retries = Counter(
            "robovitals_seals_retries",
            "attempts to read which seals are required that the database made fail",
            registry=registry,
        )
        self._connection: Connection | None = None
        self._change = 0
        self._looked = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Both, until `stop` or until one of them raises."""
        reading = asyncio.create_task(self._read(stop), name="seals")
        working = asyncio.create_task(self._work(stop), name="process")
        await asyncio.wait({reading, working}, return_when=asyncio.FIRST_COMPLETED)
        stop.set()
        await asyncio.wait({working})
        reading.cancel()
        with suppress(asyncio.CancelledError):
            await reading
        working.result()

    def not_ready(self) -> str | None:
        """For /readyz. A database that does not answer it for a while is no reason."""
        return self._process.not_ready()

    def stuck(self, now_s: float) -> str | None:
        """For /healthz."""
        return self._process.stuck(now_s)

    async def _work(self, stop: asyncio.Event) -> None:
        """With a keyring a process itself waits until it knows what holds. Without one it would begin at once, and
        let pass what must be sealed until it is stopped: each time that it is started again.
        """
        if self._keyring is None:
            waiting = [asyncio.create_task(event.wait()) for event in (self._looked, stop)]
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in waiting:
                task.cancel()
        if not stop.is_set():
            await self._process.run(stop)

    async def _read(self, stop: asyncio.Event) -> None:
        try:
            await look_until(stop, "reading which seals are required", self._look, self._disconnect, self._retries)
        finally:
            self._disconnect()

    async def _look(self) -> float:
        async with asyncio.timeout(TIMEOUT_S):
            await self._learn()
        self._looked.set()
        return REFRESH_S

    async def _learn(self) -> None:
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(self._database_url)
        policies = [PolicyChange(**row) for row in await self._connection.fetch(_POLICIES)]
        if self._keyring is None or self._master is None:
            _refuse_unverified(policies)
            return
        await agree(self._connection, self._master, "who first verified")
        found = await self._connection.fetch(_ENDS, self._change)
        self._keyring.learn(
            policies, [KeyEnd(row["robot_id"], row["key_version"], row["ends_us"]) for row in found]
        )
        self._change = found[-1]["change"] if found else self._change

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None


def _refuse_unverified(policies: list[PolicyChange]) -> None:
    """Raises StopError where seals are to be looked at: what cannot verify must not let all pass."""
    latest = {change.maker: change.policy for change in sorted(policies, key=lambda change: change.since_us)}
    for maker, policy in latest.items():
        if policy != POLICIES[0]:
            raise StopError(
                f"the policy for the seals of maker {maker} is {policy}, and there is no master key to verify them "
                f"with: set {SEAL_MASTER}"
            )
