"""One stack to break: servers, the three processes as children, and whoever restarts what died.

In: a home. Out: a `World`. Children run `faults/child.py`, the lander's way to the database leads through a proxy.
What dies is started again after RESTART_S, as `robovitals up` does it the first time. Called by `faults/rounds.py`.
"""

import asyncio
import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from deploy import settings
from deploy.local import children, ports
from deploy.local.servers import Servers
from deploy.local.supervisor import FIRST_PAUSE_S
from deploy.migrate import migrate
from deploy.settings import Endpoints
from deploy.shell import METRICS_PORT
from deploy.topics import delete_all, ensure
from faults import points, witness
from faults.child import MUTANT
from faults.mutants import UNKEYED
from faults.progress import PROCESSES, Progress
from faults.proxy import Proxy

RESTART_S = FIRST_PAUSE_S
WATCH_EVERY_S = 0.02
_numbers = itertools.count(1)
TESTS = Path(__file__).parents[1]
DATABASE = "faults"
INSTANCE = "ROBOVITALS_INSTANCE"
# Short windows, so that many close between two faults. Silence is not what is looked at.
SETTINGS = {
    "ROBOVITALS_WINDOW_S": "2",
    "ROBOVITALS_GRACE_S": "1",
    "ROBOVITALS_CLOCK_TOLERANCE_S": "1",
    "ROBOVITALS_SILENCE_S": "3600",
    "PYTHONPATH": str(TESTS),
    "PYTHONUNBUFFERED": "1",
}


class Child:
    """One process of the product. `instance` is its name in its group; None: it has none, and may come and go."""

    def __init__(self, process: str, home: Path, environ: dict[str, str], instance: str | None) -> None:
        self.name = instance or f"{process}-more"
        self.process: subprocess.Popen[bytes] | None = None
        self.log = home / "logs" / f"{self.name}.log"
        self.exits: list[int] = []
        self._command = [sys.executable, "-P", "-m", "faults.child", process]
        self._directory = home / "data" / self.name
        named = {INSTANCE: instance} if instance else {}
        self._environ = {k: v for k, v in environ.items() if k != INSTANCE} | named

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        environ = self._environ | {METRICS_PORT: str(ports.choose())}
        self.process = children.spawn(self._command, self.log, self._directory, environ)

    def signal(self, number: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(number)

    def arm(self, point: str, times: int, number: str) -> None:
        """It sends itself a signal when it passes a point of `faults/points.py` for so many times."""
        (self._directory / points.FILE).write_text(f"{point} {times} {number}")
        self.signal(signal.SIGUSR1)

    def end(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


class World:
    """Empty tables and topics, and running processes. `held` are those that nobody restarts."""

    def __init__(self, home: Path, servers: Servers, mutant: str | None = None, **changed: str) -> None:
        # Of its own: what a process keeps on its disk belongs to the topics of one world.
        self.home = home / f"world-{next(_numbers)}"
        self.servers = servers
        self.database_url = _called(servers.endpoints.database_url, DATABASE)
        self.endpoints = Endpoints(servers.endpoints.kafka, self.database_url)
        self.proxy = Proxy(servers.database.port)
        self.progress = Progress(self.endpoints)
        self.children: dict[str, Child] = {}
        self.held: set[str] = set()
        self._mutant = mutant
        self._changed = changed
        self._watching: asyncio.Task[None] | None = None

    async def open(self) -> None:
        await asyncio.to_thread(self._empty_database)
        await delete_all(self.endpoints.kafka)
        await ensure(self.endpoints.kafka, replication=getattr(self.servers, "replication", 1))
        await self.proxy.open()

    async def start(self, processes: Sequence[str] = PROCESSES) -> None:
        """Start these, and again whenever they die."""
        for process in processes:
            self.child(process).start()
        self._watching = asyncio.create_task(self._watch())

    def child(self, process: str) -> Child:
        """The process's one replica that is always there."""
        if process not in self.children:
            self.children[process] = Child(process, self.home, self.environ(process), f"{process}-1")
        return self.children[process]

    def another(self, process: str) -> Child:
        """One more replica, without a name in its group. The caller starts and ends it."""
        return Child(process, self.home, self.environ(process), None)

    def environ(self, process: str) -> dict[str, str]:
        url = self.database_url
        if process == "land":
            parts = urlsplit(url)
            url = urlunsplit(parts._replace(netloc=parts.netloc.replace(f":{parts.port}", f":{self.proxy.port}")))
        mutant = {MUTANT: self._mutant} if self._mutant else {}
        return {
            **os.environ, **SETTINGS, **self._changed, **mutant, settings.HOME: str(self.home),
            settings.DATABASE_URL: url, **settings.kafka_environ(self.endpoints.kafka),
        }  # fmt: skip

    async def close(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait({self._watching})
        for child in self.children.values():
            child.end()
        await self.progress.close()
        await self.proxy.close()

    async def _watch(self) -> None:
        died_s: dict[str, float] = {}
        while True:
            for process, child in self.children.items():
                if child.is_running or process in self.held:
                    died_s.pop(process, None)
                elif process not in died_s:
                    died_s[process] = time.monotonic()
                    assert child.process is not None
                    child.exits.append(child.process.returncode)
                elif time.monotonic() - died_s[process] >= RESTART_S:
                    del died_s[process]
                    child.start()
            await asyncio.sleep(WATCH_EVERY_S)

    def _empty_database(self) -> None:
        with psycopg.connect(self.servers.endpoints.database_url, autocommit=True) as connection:
            name = sql.Identifier(DATABASE)
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
            connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
        migrate(self.database_url)
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            witness.lay(connection)
            if self._mutant == UNKEYED:
                _drop_unique_keys(connection, "frame")


@asynccontextmanager
async def a_world(home: Path, servers: Servers, mutant: str | None = None, **changed: str) -> AsyncIterator[World]:
    """Opened and started; closed whatever happens. `changed` are settings of its processes."""
    world = World(home, servers, mutant, **changed)
    try:
        await world.open()
        await world.start()
        yield world
    finally:
        await world.close()


def _called(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def _drop_unique_keys(connection: "psycopg.Connection[tuple[str, ...]]", table: str) -> None:
    """Unique indexes become plain ones."""
    found = connection.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s AND indexdef LIKE 'CREATE UNIQUE%%'",
        (table,),
    ).fetchall()
    for name, definition in found:
        connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
        connection.execute(definition.replace("UNIQUE ", "", 1).encode())
