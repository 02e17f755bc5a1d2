"""Where a benchmark measures: servers of its own, or empty ones that the environment names; and what runs there.

In: settings. Out: a `Stand`, for as long as `stand()` is entered; nothing runs after that. Called by
`robovitals bench`. Benchmarks empty topics and tables between rounds: servers that hold anything are refused.
"""

import asyncio
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg

from deploy import topics
from deploy.bench import broker, tables
from deploy.local import children, processes, stack, state
from deploy.local.children import Identity
from deploy.local.kafka import KafkaServer
from deploy.local.processes import INSTANCE, ProductProcess
from deploy.local.servers import Servers
from deploy.local.state import Member
from deploy.local.steps import Steps
from deploy.local.supervisor import Managed
from deploy.local.timescaledb import DatabaseServer
from deploy.migrate import migrate
from deploy.settings import DATABASE_URL, KAFKA_BOOTSTRAP, Endpoints, Settings
from schemas.errors import UnavailableError
from schemas.topics import FRAMES, TOPICS

READY_WITHIN_S = 60.0
LOOK_EVERY_S = 0.02


class Stand:
    """`servers` are those of its own, None where the environment names others: what those use is not known."""

    def __init__(self, home: Path, endpoints: Endpoints, servers: Servers | None) -> None:
        self.home = home
        self.endpoints = endpoints
        self.servers = servers
        self._running: list[Managed] = []
        self._write_down()

    @property
    def server_pids(self) -> dict[str, int]:
        """Empty where they are not ours."""
        if self.servers is None:
            return {}
        found = (("database", self.servers.database.process), ("broker", self.servers.kafka.process))
        return {name: process.pid for name, process in found if process is not None}

    def product(
        self, name: str, replica: str = "", as_left: bool = False, arguments: Sequence[str] = (), **environ: str
    ) -> ProductProcess:
        """A process of the product; `replica` tells two of a kind apart; `as_left`: with the state of the last.

        It has no name in its group: a member that has one stays in it when it ends, and the next round would wait.
        """
        home = self.home / f"{name}{replica}"
        if not as_left:
            shutil.rmtree(home, ignore_errors=True)
        return ProductProcess(name, home, self.endpoints, arguments, {INSTANCE: "", **environ})

    @contextmanager
    def running(self, *started: Managed) -> Iterator[None]:
        try:
            for process in started:
                process.launch()
                self._running.append(process)
                self._write_down()
            yield
        finally:
            for process in reversed(started):
                process.stop()
            self._running = [process for process in self._running if process not in started]
            self._write_down()

    def restart_database(self, meanwhile: Callable[[], None]) -> None:
        """Stop it, do something, start it. Only where it is ours."""
        assert self.servers is not None, "whose servers these are, does not want them stopped"
        self.servers.database.stop()
        meanwhile()
        self.servers.database.start()
        self._write_down()

    def check(self) -> None:
        """Raises UnavailableError when a process has ended that should run."""
        for process in self._running:
            if process.process is not None and process.process.poll() is not None:
                raise UnavailableError(f"{process.name} ended: {children.last_words(process.log)}")

    def wait_until(self, is_so: Callable[[], bool], what: str, within_s: float = READY_WITHIN_S) -> None:
        """Raises UnavailableError when `what` does not come about, or a process ends meanwhile."""
        until_s = time.monotonic() + within_s
        while not is_so():
            self.check()
            if time.monotonic() > until_s:
                raise UnavailableError(f"{what}: not within {within_s:g} s (logs in {self.home})")
            time.sleep(LOOK_EVERY_S)

    def wait_until_ready(self, process: ProductProcess) -> None:
        """As it says itself."""
        self.wait_until(lambda: processes.not_ready(process.port) is None, f"{process.name} is ready")

    def _write_down(self) -> None:
        """Should we be killed, the next benchmark ends what we leave behind."""
        servers = (self.servers.kafka, self.servers.database) if self.servers else ()
        members = [
            Member(managed.name, _identity(managed.process), 0, None, managed.port)
            for managed in (*servers, *self._running)
        ]
        ourselves = children.identify(os.getpid())
        assert ourselves is not None
        state.write(self.home, state.Stack(ourselves, True, None, None, None, members))


@contextmanager
def stand(settings: Settings) -> Iterator[Stand]:
    """With tables and topics. Raises UnavailableError. Its files are removed; after an error the logs stay."""
    home = settings.home / "bench"
    try:
        with stack.only_supervisor(home):
            stack.end_leftovers(home, Steps(sys.stderr))
            _remove(home)
            with _endpoints(settings, home) as (endpoints, servers):
                migrate(endpoints.database_url)
                asyncio.run(topics.ensure(endpoints.kafka))
                yield Stand(home, endpoints, servers)
            state.remove(home)
    except stack.AlreadyRunning:
        raise UnavailableError(
            f"another benchmark runs in {home}: wait for it, or set another ROBOVITALS_HOME"
        ) from None
    except Exception:
        for name in (KafkaServer.name, DatabaseServer.name):
            shutil.rmtree(home / name, ignore_errors=True)
        raise
    except KeyboardInterrupt:
        _remove(home)
        raise
    _remove(home)


@contextmanager
def _endpoints(settings: Settings, home: Path) -> Iterator[tuple[Endpoints, Servers | None]]:
    if settings.kafka is None or settings.database_url is None:
        with Servers(home, settings.cache) as servers:
            yield servers.endpoints, servers
    else:
        endpoints = Endpoints(settings.kafka, settings.database_url)
        _refuse_data(endpoints)
        try:
            yield endpoints, None
        finally:
            _leave_empty(endpoints)


def _refuse_data(endpoints: Endpoints) -> None:
    """Raises UnavailableError where anything is that a benchmark would destroy."""
    unset = f"name empty servers, or unset {KAFKA_BOOTSTRAP} and {DATABASE_URL}: the benchmark then starts its own"
    if sum(end - first for first, end in broker.watermarks(endpoints.kafka, FRAMES.name).values()):
        raise UnavailableError(f"{FRAMES.name} holds frames, and a benchmark empties it: {unset}")
    with tables.connected(endpoints.database_url) as connection:
        try:
            holds = tables.one_number(connection, "SELECT count(*) FROM (SELECT FROM frame LIMIT 1) AS one")
        except psycopg.errors.UndefinedTable:
            return
    if holds:
        raise UnavailableError(f"the table frame holds rows, and a benchmark empties it: {unset}")


def _leave_empty(endpoints: Endpoints) -> None:
    """Or the next benchmark would take ours for somebody's."""
    with tables.connected(endpoints.database_url) as connection:
        tables.empty_tables(connection)
    broker.empty_topics(endpoints.kafka, TOPICS)


def _identity(process: "subprocess.Popen[bytes] | None") -> Identity | None:
    return None if process is None else children.identify(process.pid)


def _remove(home: Path) -> None:
    """All but the lock, which may be held."""
    for path in home.iterdir() if home.is_dir() else ():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        elif path.name != "supervisor.lock":
            path.unlink(missing_ok=True)
