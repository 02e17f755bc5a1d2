"""The shell of every process: signals, logging, and /metrics, /healthz, /readyz on one port.

In: a process object built by its command. Out: an exit code. `robovitals land`, `summarise`, `assess` and
`simulate` run in it; what a process does is its own file's business.
"""

import asyncio
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from typing import Any, Protocol
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector, make_wsgi_app

from deploy.kafka_access import said
from deploy.shell_metrics import ShellMetrics
from schemas.errors import RobovitalsError, SettingError, UnavailableError
from schemas.kafka import Kafka

METRICS_PORT = "ROBOVITALS_METRICS_PORT"
_log = logging.getLogger("robovitals")


class Process(Protocol):
    """What a process offers its shell. `run` returns after a graceful stop and raises StopError to end loudly."""

    async def run(self, stop: asyncio.Event) -> None: ...

    def not_ready(self) -> str | None:
        """Why it is not ready to do its work; None when it is."""
        ...

    def stuck(self, now_s: float) -> str | None:
        """Why it makes no progress although there is work, at monotonic time `now_s`; None when all is well."""
        ...


def run_process(name: str, build: Callable[[CollectorRegistry], Process], kafka: Kafka | None = None) -> int:
    """Run a process until SIGTERM or SIGINT, or until it stops by itself. Returns the exit code.

    With the `kafka` that it needs, it is also said why that does not let it in.
    """
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format=f"%(asctime)s {name} %(levelname)s %(message)s"
    )
    logging.getLogger("aiokafka").setLevel(logging.WARNING)
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    metrics = ShellMetrics.create(registry)
    process = build(registry)
    metrics.show(process.not_ready, lambda: process.stuck(time.monotonic()))
    with _serving(process, registry, _metrics_port()):
        try:
            asyncio.run(_until_stopped(process))
        except RobovitalsError as error:
            _log.error("stopped: %s", error)
            if kafka is not None and isinstance(error, UnavailableError) and (why := asyncio.run(said(kafka))):
                _log.error("%s", why)
            return error.exit_code
    _log.info("stopped")
    return 0


async def _until_stopped(process: Process) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await process.run(stop)


def _metrics_port() -> int:
    text = os.environ.get(METRICS_PORT, "0")
    if not text.isdigit() or int(text) > 65535:
        raise SettingError(f"{METRICS_PORT}={text!r} is not a port number")
    return int(text)


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """A scrape every few seconds is no news."""


def _application(process: Process, registry: CollectorRegistry) -> Callable[..., Iterable[bytes]]:
    metrics: Callable[..., Iterable[bytes]] = make_wsgi_app(registry)
    checks = {
        "/healthz": lambda: process.stuck(time.monotonic()),
        "/readyz": lambda: process.not_ready() or process.stuck(time.monotonic()),
    }

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/metrics":
            return metrics(environ, start_response)
        if path not in checks:
            start_response("404 Not Found", [("Content-Type", "text/plain; charset=utf-8")])
            return [b"/metrics, /healthz, /readyz\n"]
        reason = checks[path]()
        status = "503 Service Unavailable" if reason else "200 OK"
        start_response(status, [("Content-Type", "text/plain; charset=utf-8")])
        return [f"{reason or 'ok'}\n".encode()]

    return application


@contextmanager
def _serving(process: Process, registry: CollectorRegistry, port: int) -> Iterator[None]:
    try:
        server = make_server("127.0.0.1", port, _application(process, registry), _Server, _Quiet)
    except OSError as error:
        raise SettingError(f"{METRICS_PORT}={port}: {error.strerror}; choose another port") from None
    thread = threading.Thread(target=server.serve_forever, name="metrics", daemon=True)
    thread.start()
    _log.info("serving /metrics, /healthz and /readyz on http://127.0.0.1:%d", server.server_port)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
