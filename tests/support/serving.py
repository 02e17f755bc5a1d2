"""The real server in a test's own loop, and people of every role to ask it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import msgspec
from prometheus_client import CollectorRegistry

from deploy.local import ports
from schemas.kafka import Kafka
from serve import credentials
from serve.context import Context
from serve.metrics import ServeMetrics
from serve.people import Role
from serve.server import Server, ServeSettings

WITHIN_S = 60.0
FOR_A_DAY = timedelta(days=1)


@dataclass
class Serving:
    """Where it listens, and the database behind it."""

    url: str
    database_url: str

    async def token(self, role: Role, fleets: list[str] | None = None) -> str:
        connection = await asyncpg.connect(self.database_url)
        try:
            return await credentials.give(connection, "token", f"a {role}", role, fleets, FOR_A_DAY)
        finally:
            await connection.close()

    async def client(self, role: Role, fleets: list[str] | None = None) -> httpx.AsyncClient:
        """Who asks with a token of that role."""
        headers = {"Authorization": f"Bearer {await self.token(role, fleets)}"}
        return httpx.AsyncClient(base_url=f"{self.url}/api/v1", headers=headers, timeout=WITHIN_S)


@asynccontextmanager
async def serving(
    kafka: Kafka, database_url: str, home: Path, platforms: frozenset[str] = frozenset()
) -> AsyncIterator[Serving]:
    """Until the test leaves it. `platforms`: whose seals on logbooks it knows."""
    port = ports.choose()
    settings = ServeSettings(kafka=kafka, host="127.0.0.1", port=port, targets=home / "prometheus-targets.json")
    context = Context(database_url, ServeMetrics.create(CollectorRegistry()), platforms=platforms)
    server = Server(settings, context)
    stop = asyncio.Event()
    running = asyncio.create_task(server.run(stop))
    try:
        async with asyncio.timeout(WITHIN_S):
            while server.not_ready() is not None:
                if running.done():
                    await running
                await asyncio.sleep(0.02)
        yield Serving(f"http://127.0.0.1:{port}", database_url)
    finally:
        stop.set()
        with suppress(asyncio.CancelledError):
            await running


class Events:
    """Server-sent events of one stream, as (name, data); `id` is that of the last."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.aiter_lines()
        self.id = ""

    async def next(self, *names: str) -> tuple[str, Any]:
        """The next event that has one of these names."""
        name, data = "", ""
        async with asyncio.timeout(WITHIN_S):
            async for line in self._lines:
                field, _, text = line.partition(": ")
                if field == "event":
                    name = text
                elif field == "data":
                    data = text
                elif field == "id":
                    self.id = text
                elif not line and name:
                    if name in names:
                        return name, msgspec.json.decode(data)
                    name = ""
        raise AssertionError(f"the stream ended before any of {names}")


@asynccontextmanager
async def listening(client: httpx.AsyncClient, **headers: str) -> AsyncIterator[Events]:
    async with client.stream("GET", "/stream", headers=headers) as response:
        assert response.status_code == 200, response.status_code
        yield Events(response)
