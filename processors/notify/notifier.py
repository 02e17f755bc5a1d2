"""The notifier: anomalies in, receivers told. `robovitals notify` runs it under `deploy/shell.py`.

Its loops: `inlet.py` takes anomalies into the outbox; a `Deliverer` a receiver sends what is due; a third keeps
house. Of several replicas each takes its partitions' anomalies, and one sends to a receiver: whichever has that
receiver's advisory lock, in a session that does nothing else. Who loses the session stops sending.
"""

import asyncio
import logging
import random
import time
from contextlib import suppress

import asyncpg
import msgspec

from processors.notify.delivering import Deliverer
from processors.notify.inlet import Inlet
from processors.notify.metrics import NotifyMetrics
from processors.notify.queue import Pool, Queue
from processors.notify.receivers import Config, Receiver
from processors.notify.sending import MakeSender, make_sender
from processors.notify.sql import Connection, sql
from processors.transient import TRANSIENT, look_until, rest
from schemas.errors import ContractError, UnavailableError
from schemas.kafka import Kafka

LOOK_EVERY_S = 0.5
OWN_EVERY_S = 2.0
FIGURES_EVERY_S = 5.0
PRUNE_EVERY_S = 600.0
STUCK_AFTER_S = 120.0
STOP_PATIENCE_S = 3.0  # all of the stop stays below the 10 s after which a supervisor kills
CONNECT_TIMEOUT_S = 10.0
STATEMENT_TIMEOUT_S = 20.0
CONNECTIONS = 6

# A session whose network is gone must lose its locks, so that another replica sends.
_SESSION = {
    "application_name": "robovitals notify",
    "statement_timeout": f"{STATEMENT_TIMEOUT_S:.0f}s",
    "idle_in_transaction_session_timeout": f"{STATEMENT_TIMEOUT_S:.0f}s",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "jit": "off",
}

_log = logging.getLogger(__name__)


class NotifySettings(msgspec.Struct, frozen=True):
    """`instance` makes the group membership static, as with the lander."""

    kafka: Kafka
    database_url: str
    config: Config
    instance: str | None = None


def wall_us() -> int:
    return time.time_ns() // 1000


class Notifier:
    """A `Process` of `deploy/shell.py`."""

    def __init__(self, settings: NotifySettings, metrics: NotifyMetrics, make: MakeSender = make_sender) -> None:
        self._settings = settings
        self._metrics = metrics
        self._make = make
        self._deliverers: dict[str, Deliverer] = {}
        self._inlet = Inlet(
            settings.kafka, settings.instance, settings.config, metrics, self._wake, wall_us
        )  # fmt: skip
        metrics.progress_age_seconds.set_function(lambda: time.monotonic() - self._inlet.turned_s)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`. Raises StopError when going on would mislead."""
        pool = await _pool(self._settings.database_url)
        queue, loops = Queue(pool), list[asyncio.Task[None]]()
        try:
            await queue.register([*self._settings.config.receivers.values()])
            loops += [
                asyncio.create_task(self._inlet.run(pool, stop), name="inlet"),
                asyncio.create_task(self._keep_house(queue, stop), name="house"),
                *(
                    asyncio.create_task(self._tell(receiver, queue, stop), name=f"tell {receiver.name}")
                    for receiver in self._settings.config.receivers.values()
                ),
            ]
            await asyncio.wait(loops, return_when=asyncio.FIRST_EXCEPTION)
        except asyncpg.UndefinedTableError as error:
            raise ContractError(f"the database says: {error}: `robovitals migrate`") from None
        finally:
            stop.set()
            if loops:
                _, late = await asyncio.wait(loops, timeout=2 * STOP_PATIENCE_S)
                for loop in late:
                    loop.cancel()
            with suppress(TimeoutError, *TRANSIENT):
                await asyncio.wait_for(pool.close(), STOP_PATIENCE_S)
            pool.terminate()
        for loop in loops:
            if not loop.cancelled():
                loop.result()

    def not_ready(self) -> str | None:
        """For /readyz."""
        return self._inlet.problem

    def stuck(self, now_s: float) -> str | None:
        """For /healthz."""
        age_s = now_s - self._inlet.turned_s
        return f"the loop has not turned for {age_s:.0f} s" if age_s > STUCK_AFTER_S else None

    def _wake(self) -> None:
        for deliverer in self._deliverers.values():
            deliverer.is_due.set()

    async def _tell(self, receiver: Receiver, queue: Queue, stop: asyncio.Event) -> None:
        """Send to one receiver for as long as this replica is the one that does."""

        async def own() -> float:
            owner = await _connect(self._settings.database_url)
            try:
                if await owner.fetchval(sql("own"), receiver.name):
                    await self._send(receiver, queue, owner, stop)
            finally:
                owner.terminate()  # the server ends the session, and with it the lock
            return OWN_EVERY_S

        retries = self._metrics.retries.labels("database")
        await look_until(stop, f"sending to {receiver.name}", own, lambda: None, retries)

    async def _send(self, receiver: Receiver, queue: Queue, owner: Connection, stop: asyncio.Event) -> None:
        """Until `stop`. Raises what the database does when it does not answer."""
        deliverer = Deliverer(
            receiver, queue, self._make(receiver), self._metrics, wall_us, random.random
        )  # fmt: skip
        self._deliverers[receiver.name] = deliverer
        owned = self._metrics.sending.labels(receiver.name)
        try:
            await deliverer.begin()
            owned.set(1)
            owned_s = time.monotonic()
            while not stop.is_set():
                if time.monotonic() - owned_s > OWN_EVERY_S:
                    await owner.fetchval("SELECT 1", timeout=CONNECT_TIMEOUT_S)
                    owned_s = time.monotonic()
                deliverer.is_due.clear()
                await deliverer.look()
                with suppress(TimeoutError):
                    await asyncio.wait_for(deliverer.is_due.wait(), LOOK_EVERY_S)
        finally:
            owned.set(0)
            del self._deliverers[receiver.name]
            await deliverer.stop(STOP_PATIENCE_S)

    async def _keep_house(self, queue: Queue, stop: asyncio.Event) -> None:
        """Figures for /metrics, and what is long over is forgotten."""
        pruned_s = -PRUNE_EVERY_S
        while not stop.is_set():
            try:
                for figures in await queue.figures(wall_us()):
                    self._metrics.pending.labels(figures.name).set(figures.pending)
                    self._metrics.oldest_seconds.labels(figures.name).set(figures.oldest_s)
                    self._metrics.disabled.labels(figures.name).set(figures.disabled)
                if time.monotonic() - pruned_s > PRUNE_EVERY_S:
                    await queue.prune(wall_us())
                    pruned_s = time.monotonic()
            except TRANSIENT as error:
                _log.debug("housekeeping: %r", error)
            await rest(stop, FIGURES_EVERY_S)


async def _connect(database_url: str) -> Connection:
    return await asyncpg.connect(
        database_url, timeout=CONNECT_TIMEOUT_S, command_timeout=STATEMENT_TIMEOUT_S, server_settings=_SESSION
    )


async def _pool(database_url: str) -> Pool:
    """Raises UnavailableError when the database does not answer at the start."""
    try:
        return await asyncpg.create_pool(
            database_url, min_size=1, max_size=CONNECTIONS, timeout=CONNECT_TIMEOUT_S,
            command_timeout=STATEMENT_TIMEOUT_S, server_settings=_SESSION,
        )  # fmt: skip
    except (*TRANSIENT, asyncpg.PostgresError) as error:
        raise UnavailableError(f"the database cannot be used ({error}): `robovitals doctor`") from None
