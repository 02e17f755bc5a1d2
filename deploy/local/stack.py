"""The whole product on one machine: servers, tables, topics and processes, brought up, kept up, taken down.

In: settings. Out: a running stack until SIGINT or SIGTERM; nothing runs after that. Called by `robovitals up`,
in the foreground or as the child that `--detach` leaves behind.
"""

import asyncio
import fcntl
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy import page, topics
from deploy.local import children, kafka, processes, state, targets, timescaledb
from deploy.local.children import Signalled
from deploy.local.enrol import enrol
from deploy.local.kafka import KafkaServer
from deploy.local.page_login import give_login
from deploy.local.processes import PROCESSES, SERVE, SIMULATE, SIMULATION, PageProcess, ProductProcess
from deploy.local.signals import Stopped, StopSignals
from deploy.local.steps import Step, Steps
from deploy.local.supervisor import Managed, Supervised
from deploy.local.timescaledb import DatabaseServer
from deploy.migrate import migrate
from deploy.platform_key import create_platform_key, platform_key_file, read_platform_key
from deploy.seal_master import create_master, master_file, read_master
from deploy.settings import Endpoints, Settings
from schemas.errors import UnavailableError
from schemas.kafka import Kafka

WATCH_EVERY_S = 0.2
READY_TIMEOUT_S = 90.0
ENDS_BEFORE_READY = 3
"""A process that ends that often before the stack is ready will not get ready."""


class AlreadyRunning(Exception):  # noqa: N818 - what was asked for is there already
    """Another supervisor runs this home."""


class LocalStack:
    """`simulate` is the number of simulated robots that run along; none when it is None. With `secure`, Kafka lets
    in only users (`deploy/local/enrol.py`), and each process is one.
    """

    def __init__(self, settings: Settings, steps: Steps, simulate: int | None = None, secure: bool = False) -> None:
        self._secure = secure
        self._simulate = simulate
        self._settings = settings
        self._steps = steps
        self._signals = StopSignals()
        self._supervised: list[Supervised] = []
        self._kafka = settings.kafka
        self._users: dict[str, Kafka] = {}
        self._database_url = settings.database_url
        self._page: PageProcess | None = None
        self._ready = False

    def run(self) -> bool:
        """Until asked to stop; whether it was ready before that.

        Raises AlreadyRunning, and UnavailableError when something cannot start; then nothing is left running.
        """
        with only_supervisor(self._settings.home), self._signals.watched():
            end_leftovers(self._settings.home, self._steps)
            self._changed()
            try:
                self._bring_up()
                while True:
                    self._watch()
            except Stopped:
                return self._ready
            finally:
                self._stop()

    def _bring_up(self) -> None:
        began_s = time.monotonic()
        endpoints = self._start_servers()
        with self._step("migrate the database") as step:
            applied = migrate(endpoints.database_url)
            step.note = f"{len(applied)} applied" if applied else "current"
        with self._step("create topics") as step:
            reports = asyncio.run(topics.ensure(endpoints.kafka))
            step.note = f"{sum(report.created for report in reports)} created"
        if read_platform_key(self._settings) is None:
            create_platform_key(platform_key_file(self._settings))
        own = self._own_processes(endpoints)
        names = ", ".join(process.name for process in own)
        with self._step(f"start {names}"):
            waiting = [self._start(process) for process in own]
        with self._step(f"wait until {names} are ready"):
            self._wait_until_ready(waiting)
        self._ready = True
        self._changed()
        self._steps.say(f"up in {time.monotonic() - began_s:.1f} s: {self._settings.home}")
        self._invite()

    def _own_processes(self, endpoints: Endpoints) -> list[ProductProcess]:
        home = self._settings.home

        def seen_by(name: str) -> Endpoints:
            """Nobody but us is the administrator."""
            nobody = Kafka(endpoints.kafka.bootstrap) if self._users else endpoints.kafka
            is_page = name == SERVE and self._settings.database_url is None
            url = give_login(endpoints.database_url) if is_page else endpoints.database_url
            return Endpoints(self._users.get(name, nobody), url)

        self._page = PageProcess(home, seen_by(SERVE))
        own = [self._page if name == SERVE else ProductProcess(name, home, seen_by(name)) for name in PROCESSES]
        if self._simulate is not None:
            arguments = ("--robots", str(self._simulate), *SIMULATION)
            own.append(ProductProcess(SIMULATE, home, seen_by(SIMULATE), arguments))
        return own

    def _invite(self) -> None:
        """Whoever sits before us; where we are in the background, whoever sent us there does it."""
        stack = state.read(self._settings.home)
        if sys.stdout.isatty() and stack is not None and (line := asyncio.run(page.invitation(stack))):
            self._steps.say(line)

    def _start_servers(self) -> Endpoints:
        """Those that the environment does not name."""
        home, cache = self._settings.home, self._settings.cache
        own_kafka = KafkaServer(home, cache, self._secure) if self._kafka is None else None
        own_database = DatabaseServer(home, cache) if self._database_url is None else None
        servers = [server for server in (own_kafka, own_database) if server is not None]
        for server in servers:
            with self._step(f"install {server.title}") as step, self._signals.interruptible():
                step.note = "cached" if server.install() else "downloaded"
        for server in servers:
            with self._step(f"start {server.title}") as step:
                self._start(server)
                step.note = f"port {server.port}"
        if own_kafka is not None:
            self._kafka = own_kafka.access
            if own_kafka.secured:
                with self._step("enrol the users of Kafka") as step:
                    self._users = enrol(own_kafka)
                    step.note = f"{len(self._users)}, each with what its process needs"
                # Whose Kafka lets in only whom it knows, will want to know whose frame is whose as well.
                if read_master(self._settings) is None:
                    create_master(master_file(self._settings))
        if own_database is not None:
            self._database_url = own_database.url
        assert self._kafka is not None
        assert self._database_url is not None
        self._changed()
        return Endpoints(self._kafka, self._database_url)

    def _start(self, managed: Managed) -> Supervised:
        self._signals.check()
        supervised = Supervised(managed, self._changed)
        self._supervised.append(supervised)
        supervised.start(time.monotonic())
        return supervised

    def _wait_until_ready(self, waiting: list[Supervised]) -> None:
        until_s = time.monotonic() + READY_TIMEOUT_S
        while waiting:
            self._watch()
            reasons = {s.managed.name: processes.not_ready(s.managed.port) for s in waiting}
            for s in waiting:
                if s.restarts >= ENDS_BEFORE_READY:
                    raise UnavailableError(f"{s.managed.name} keeps ending: {children.last_words(s.managed.log)}")
            waiting = [s for s in waiting if reasons[s.managed.name] is not None]
            if waiting and time.monotonic() > until_s:
                name = waiting[0].managed.name
                raise UnavailableError(f"{name} is not ready: {reasons[name]} (see {waiting[0].managed.log})")

    def _watch(self) -> None:
        self._signals.check()
        for supervised in self._supervised:
            for event in supervised.watch(time.monotonic()):
                self._steps.say(event)
        time.sleep(WATCH_EVERY_S)

    def _stop(self) -> None:
        """In the reverse of the order in which they were started."""
        for supervised in reversed(self._supervised):
            with self._steps.step(f"stop {supervised.managed.name}"):
                supervised.managed.stop()
        state.remove(self._settings.home)
        targets.remove(self._settings.home)

    @contextmanager
    def _step(self, what: str) -> Iterator[Step]:
        self._signals.check()
        with self._steps.step(what) as step:
            yield step

    def _changed(self) -> None:
        supervisor = children.identify(os.getpid())
        assert supervisor is not None
        members = [supervised.member() for supervised in self._supervised]
        stack = state.Stack(
            supervisor,
            self._ready,
            self._kafka,
            self._database_url,
            self._simulate,
            members,
            self._page.page_port if self._page is not None else None,
        )
        try:
            state.write(self._settings.home, stack)
            targets.write(self._settings.home, [(member.name, member.port) for member in members])
        except OSError as error:
            # A full disk must not end what runs.
            self._steps.say(f"the state cannot be written: {error}")


def end_leftovers(home: Path, steps: Steps) -> None:
    """After a supervisor was killed: end what it had written down, and nothing else.

    Only for who is `only_supervisor`: else it would end, and forget, a stack that another is bringing up.
    """
    left = state.read(home)
    if left is None:
        return
    for member in reversed(left.members):
        if member.identity is not None and children.is_alive(member.identity):
            with steps.step(f"end {member.name} ({member.identity.pid}), left behind by an earlier run"):
                children.end_by_identity(member.identity, _how_to_stop(member.name))
    state.remove(home)
    targets.remove(home)


def _how_to_stop(name: str) -> tuple[Signalled, ...]:
    return {KafkaServer.name: kafka.STOP, DatabaseServer.name: timescaledb.STOP}.get(name, processes.STOP)


@contextmanager
def only_supervisor(home: Path) -> Iterator[None]:
    """One supervisor a home. The lock is the kernel's: it ends with the process that holds it.

    Raises AlreadyRunning when another has it.
    """
    try:
        home.mkdir(parents=True, exist_ok=True)
        file = (home / "supervisor.lock").open("w")
    except OSError as error:
        raise UnavailableError(f"ROBOVITALS_HOME cannot be written: {error}") from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning from None
        yield
