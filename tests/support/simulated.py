"""The outbox of one receiver under a clock that the test sets. Used by the `simulated` fixture."""

import asyncpg
from aiohttp import web
from prometheus_client import CollectorRegistry

from processors.notify import outbox
from processors.notify.delivering import Deliverer
from processors.notify.metrics import NotifyMetrics
from processors.notify.outbox import Span
from processors.notify.planning import Arrived
from processors.notify.queue import Queue
from processors.notify.receivers import Config
from processors.notify.sending import make_sender
from schemas.anomaly import Anomaly

SECOND_US = 1_000_000
AT = ("fleet.anomalies", 0)


class Simulated:
    """The outbox of one receiver under a clock that the test sets: anomalies come straight into it."""

    def __init__(self, pool: asyncpg.Pool, config: Config, now_us: int) -> None:
        self.pool = pool
        self.config = config
        self.now_us = now_us
        self.queue = Queue(pool)
        self.metrics = NotifyMetrics.create(CollectorRegistry())
        self._next = 0

    def deliverer(self, name: str) -> Deliverer:
        receiver = self.config.receivers[name]
        return Deliverer(
            receiver, self.queue, make_sender(receiver), self.metrics, lambda: self.now_us, lambda: 0.0
        )

    async def take(self, *anomalies: Anomaly) -> None:
        """As a batch of partition 0."""
        span = Span(self._next, self._next + len(anomalies))
        async with self.pool.acquire() as connection:
            await outbox.take(connection, self.config, {AT: span}, [Arrived(0, a) for a in anomalies], self.now_us)
        self._next = span.next

    async def pass_time(self, seconds: float) -> None:
        """And all is read by then."""
        self.now_us += round(seconds * SECOND_US)
        async with self.pool.acquire() as connection:
            await outbox.caught_up(connection, {AT: self._next}, self.now_us)

    async def deliver(self, deliverer: Deliverer) -> int:
        """All that is due now; how many messages that is."""
        count = 0
        while sent := await deliverer.look():
            count += sent
            await deliverer.settle()
        return count


async def states(pool: asyncpg.Pool) -> list[tuple[str, int]]:
    return [tuple(row) for row in await pool.fetch("SELECT state, attempts FROM delivery ORDER BY id")]


def a_number(world: Simulated) -> int:
    """Grows with the simulated time."""
    return 2 + world._next // 5


async def refused() -> web.Response:
    return web.Response(status=500, text="down")
