"""The repairer's share of the time, and its answer to a database that is having a bad day."""

import asyncio

import pytest
from asyncpg.exceptions import InternalClientError
from prometheus_client import CollectorRegistry

from processors.repair import LONGEST_REST_S, Repairer, asyncpg, rest_s
from processors.summarise_metrics import SummariseMetrics


def test_repairing_takes_a_fifth_of_the_time():
    for worked_s in (0.005, 0.1, 1.0):
        assert worked_s / (worked_s + rest_s(worked_s)) == pytest.approx(0.2)


def test_after_an_outage_it_does_not_rest_for_as_long_as_that_took():
    assert rest_s(600) == LONGEST_REST_S


async def test_an_idle_connection_that_the_database_ended_is_waited_for(monkeypatch):
    stop = asyncio.Event()

    async def connect(*_, **__):
        stop.set()
        raise InternalClientError("got result for unknown protocol state 0")

    monkeypatch.setattr(asyncpg, "connect", connect)
    registry = CollectorRegistry()
    await Repairer("postgresql://nowhere", SummariseMetrics.create(registry), None, None).run(stop)
    assert registry.get_sample_value("robovitals_summarise_repair_retries_total") == 1
