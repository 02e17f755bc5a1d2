"""The server process: uvicorn around the application, until it is told to stop.

In: where to listen, and a `Context`. Out: answers. Built by `robovitals serve`, run by `deploy/shell.py`.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import uvicorn

from schemas.errors import SettingError, UnavailableError
from schemas.kafka import Kafka
from serve.app import create_app
from serve.context import Context
from serve.credentials import tokens_exist
from serve.guard import MAX_HEADER_BYTES
from serve.live import Live
from serve.pipeline import Pipeline
from serve.publish import Publisher
from serve.visits import Visits

CLOSE_WITHIN_S = 5


class ServeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`targets`: a Prometheus targets file that names the processes of the pipeline; it need not be there."""

    kafka: Kafka
    host: str
    port: int
    targets: Path
    tls_cert: Path | None = None
    tls_key: Path | None = None


class _Uvicorn(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The shell has them."""
        yield


class Server:
    """One loop: uvicorn's."""

    def __init__(self, settings: ServeSettings, context: Context) -> None:
        self._settings = settings
        self._context = context
        self._live = Live(settings.kafka, context)
        self._pipeline = Pipeline(settings.targets, context)
        self._publisher = Publisher(settings.kafka)
        self._visits = Visits()
        self._server: _Uvicorn | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Raises UnavailableError when port or database cannot be had, SettingError when it would be open."""
        await self._context.connect()
        running = (self._live.run(), self._pipeline.run(), self._visits.watch(self._context))
        loops = [asyncio.create_task(loop) for loop in running]
        try:
            await self._refuse_to_be_open()
            config = uvicorn.Config(
                create_app(self._context, self._live, self._pipeline, self._publisher, self._visits),
                host=self._settings.host,
                port=self._settings.port,
                log_config=None,
                access_log=False,
                server_header=False,
                # Its own way of believing a proxy is not ours (serve/trust.py).
                proxy_headers=False,
                h11_max_incomplete_event_size=MAX_HEADER_BYTES,
                ssl_certfile=self._settings.tls_cert,
                ssl_keyfile=self._settings.tls_key,
                timeout_graceful_shutdown=CLOSE_WITHIN_S,
            )
            self._server = _Uvicorn(config)
            await self._serve(self._server, stop, loops)
        finally:
            for loop in loops:
                loop.cancel()
            await asyncio.gather(*loops, return_exceptions=True)
            await self._publisher.close()
            await self._context.close()

    async def _refuse_to_be_open(self) -> None:
        """To a network it listens only if somebody has arranged who may come in, and that nobody listens in.

        Raises SettingError.
        """
        trust, host = self._context.trust, self._settings.host
        if trust.loopback:
            return
        if self._settings.tls_cert is None and not trust.proxies:
            raise SettingError(
                f"--host {host}: secrets would cross the network in the clear: give --tls-cert and --tls-key, or "
                "name the proxy that does it for you in ROBOVITALS_SERVE_PROXIES"
            )
        async with self._context.own() as connection:
            if trust.user_header is None and not await tokens_exist(connection):
                raise SettingError(
                    f"--host {host}: nobody may come in yet, so it does not listen to the network: "
                    "`robovitals access token NAME`, or ROBOVITALS_SERVE_PROXY_USER_HEADER"
                )

    async def _serve(self, server: _Uvicorn, stop: asyncio.Event, loops: list[asyncio.Task[None]]) -> None:
        """Until `stop`. Raises what ended a loop: pages that nobody tells anything must not look alive."""
        serving = asyncio.create_task(_without_exit(server))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait((serving, stopping, *loops), return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        server.should_exit = True
        await serving
        for loop in loops:
            if loop.done():
                loop.result()

    def not_ready(self) -> str | None:
        if self._server is None or not self._server.started:
            return "it does not listen yet"
        return self._live.not_ready()

    def stuck(self, now_s: float) -> str | None:
        """A server answers or it does not: the request for this is the test."""
        return None


async def _without_exit(server: _Uvicorn) -> None:
    """uvicorn leaves the interpreter when it cannot have its port."""
    try:
        await server.serve()
    except SystemExit:
        where = f"{server.config.host}:{server.config.port}"
        raise UnavailableError(f"cannot listen on {where}: another program has it; choose --port") from None
