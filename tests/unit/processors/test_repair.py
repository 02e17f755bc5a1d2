"""The repairer's answer to a database that is having a bad day."""

import asyncio

from asyncpg.exceptions import InternalClientError
from prometheus_client import CollectorRegistry

from processors.repair import Repairer, asyncpg
from processors.summarise_metrics import SummariseMetrics


async def test_an_idle_connection_that_the_database_ended_is_waited_for(monkeypatch):
    stop = asyncio.Event()

    async def connect(*_, **__):
        stop.set()
        raise InternalClientError("got result for unknown protocol state 0")

    monkeypatch.setattr(asyncpg, "connect", connect)
    registry = CollectorRegistry()
    await Repairer("postgresql://nowhere", SummariseMetrics.create(registry), None, None).run(stop)
    assert registry.get_sample_value("robovitals_summarise_repair_retries_total") == 1
