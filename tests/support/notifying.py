"""A notifier in the test's own process, receivers that check what they get, and anomalies for both."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from aiohttp import web
from aiokafka import AIOKafkaProducer
from prometheus_client import CollectorRegistry
from standardwebhooks import Webhook

from processors.notify.metrics import NotifyMetrics
from processors.notify.notifier import Notifier, NotifySettings
from processors.notify.receivers import Config, Receiver, Route
from schemas.anomaly import Anomaly, encode_anomaly
from schemas.kafka import Kafka
from schemas.topics import ANOMALIES
from support.anomalies import SECRET, anomaly, webhook

WITHIN_S = 120.0


class Received(msgspec.Struct):
    id: str
    data: dict[str, Any]


class Listening:
    """A webhook's receiver, written with the official package. `answer` says what it does with each request."""

    def __init__(self) -> None:
        self.url = ""
        self.seen: list[Received] = []
        self.requests = 0
        self.answer: Callable[[], Awaitable[web.Response]] = self.ok
        self.news = asyncio.Condition()

    @property
    def transitions(self) -> list[str]:
        return [one.data["type"].rpartition(".")[2] for one in self.seen]

    async def ok(self) -> web.Response:
        return web.Response(text="thank you")

    def always(self, status: int, headers: Mapping[str, str] | None = None) -> None:
        async def answer() -> web.Response:
            return web.Response(status=status, headers=headers)

        self.answer = answer

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.requests += 1
        data = Webhook(SECRET).verify(body, dict(request.headers))
        response = await self.answer()
        async with self.news:
            if response.status < 300:
                self.seen.append(Received(request.headers["webhook-id"], data))
            self.news.notify_all()
        return response

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until what was received makes it so."""
        async with asyncio.timeout(WITHIN_S), self.news:
            await self.news.wait_for(is_so)


@asynccontextmanager
async def listening() -> AsyncIterator[Listening]:
    """On a port of its own."""
    found = Listening()
    application = web.Application()
    application.router.add_post("/hook", found.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        found.url = f"http://127.0.0.1:{port}/hook"
        yield found
    finally:
        await runner.cleanup()


def config_of(*receivers: Receiver, **route: Any) -> Config:
    """Everything goes to all of them."""
    names = tuple(receiver.name for receiver in receivers)
    return Config(
        {receiver.name: receiver for receiver in receivers}, (Route(name="all", receivers=names, **route),)
    )


def hook(at: Listening, name: str = "hook", **changes: Any) -> Receiver:
    return webhook(name, at.url, **changes)


@asynccontextmanager
async def notifying(kafka: Kafka, url: str, config: Config) -> AsyncIterator[NotifyMetrics]:
    """A notifier in this process; what ends it is raised here."""
    metrics = NotifyMetrics.create(CollectorRegistry())
    stop = asyncio.Event()
    running = asyncio.create_task(Notifier(NotifySettings(kafka, url, config), metrics).run(stop))
    try:
        yield metrics
    finally:
        stop.set()
        await running


async def publish(kafka: Kafka, anomalies: Iterable[Anomaly]) -> None:
    """As the assessor does: by the robot's code."""
    async with AIOKafkaProducer(**kafka.client(), enable_idempotence=True, linger_ms=5) as producer:
        sent = []
        for one in anomalies:
            value, headers = encode_anomaly(one)
            sent.append(await producer.send(ANOMALIES.name, value, key=one.robot_id.encode(), headers=headers))
        await asyncio.gather(*sent)


def episode(number: int, **changes: Any) -> Anomaly:
    """The opening of the n-th episode, each of another robot."""
    return anomaly(episode_id=f"ep-{number}", **changes)
