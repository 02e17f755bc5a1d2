"""The server and what runs beside it."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from schemas.kafka import Kafka
from serve.context import Context
from serve.metrics import ServeMetrics
from serve.server import Server, ServeSettings


class _Uvicorn:
    def __init__(self) -> None:
        self._exit = asyncio.Event()

    def __setattr__(self, name: str, value: object) -> None:
        if name == "should_exit":
            self._exit.set()
        else:
            object.__setattr__(self, name, value)

    async def serve(self) -> None:
        await self._exit.wait()


def _server() -> Any:
    settings = ServeSettings(kafka=Kafka("127.0.0.1:1"), host="127.0.0.1", port=0, targets=Path("none.json"))
    return Server(settings, Context("", ServeMetrics.create(CollectorRegistry())))


async def test_a_live_stream_that_died_ends_the_server_so_that_it_is_started_again() -> None:
    async def broken() -> None:
        raise KeyError("a bug")

    with pytest.raises(KeyError, match="a bug"):
        await _server()._serve(_Uvicorn(), asyncio.Event(), [asyncio.create_task(broken())])


async def test_told_to_stop_it_stops_whatever_goes_on() -> None:
    stop, forever = asyncio.Event(), asyncio.create_task(asyncio.Event().wait())
    stop.set()
    await _server()._serve(_Uvicorn(), stop, [forever])
    assert not forever.done()
    forever.cancel()
