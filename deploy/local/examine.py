"""Whether a stack is there and as it should be: the further lines of `robovitals doctor`.

In: settings. Out: a `Check` for each download, server, process, and for topics and tables.
"""

import asyncio
from collections.abc import Iterator

import psycopg

from deploy import page, topics
from deploy.checks import Check, checked
from deploy.local import control, ports, state
from deploy.local.kafka import KafkaServer
from deploy.local.processes import SERVE
from deploy.local.timescaledb import DatabaseServer
from deploy.migrate import DIRECTORY, read_migrations
from deploy.settings import DATABASE_URL, KAFKA_BOOTSTRAP, Settings, endpoints
from schemas.errors import RobovitalsError, UnavailableError
from schemas.kafka import Kafka

UP = "robovitals up --detach"


def stack(settings: Settings) -> Iterator[Check]:
    yield from _downloads(settings)
    yield from _members(settings)
    try:
        servers = endpoints(settings)
    except UnavailableError:
        return
    yield _topics(servers.kafka, _mend("kafka", KAFKA_BOOTSTRAP, settings.kafka))
    yield from _database(servers.database_url, _mend("timescaledb", DATABASE_URL, settings.database_url))


def _mend(name: str, variable: str, value: object | None) -> str:
    """What to type when a server does not answer: it is either ours or named by a variable."""
    return f"robovitals logs {name}" if value is None else f"start that server, or correct {variable}"


def _downloads(settings: Settings) -> Iterator[Check]:
    home, cache = settings.home, settings.cache
    if settings.kafka is None:
        yield _download(KafkaServer.title, KafkaServer(home, cache).is_installed(), settings)
    if settings.database_url is None:
        yield _download(DatabaseServer.title, DatabaseServer(home, cache).is_installed(), settings)


def _download(title: str, ok: bool, settings: Settings) -> Check:
    return checked("download", ok, f"{title} {'is' if ok else 'is not'} in {settings.cache}", UP)


def _members(settings: Settings) -> Iterator[Check]:
    """The supervisor and each of its servers and processes."""
    running = state.running(settings.home)
    if running is None and settings.kafka is not None and settings.database_url is not None:
        return  # servers and processes run elsewhere
    if running is None:
        killed = state.read(settings.home) is not None
        detail = f"{'its supervisor was killed' if killed else 'not running'} in {settings.home}"
        yield checked("stack", False, detail, UP)
        return
    yield checked("stack", True, f"supervisor {running.supervisor.pid} in {settings.home}", UP)
    for member in control.look(running):
        detail = f"{member.not_ready or 'ready'}, restarts {member.restarts}"
        if member.pid is None and (other := ports.listener(member.port)):
            detail += f", its port {member.port} is in use by {other}"
        if member.name == SERVE:
            detail += f", the page is at {page.address(running)}"
        yield checked(member.name, member.not_ready is None, detail, f"robovitals logs {member.name}")


def _topics(kafka: Kafka, mend: str) -> Check:
    try:
        reports = asyncio.run(topics.check(kafka))
    except RobovitalsError as error:
        return checked("topics", False, str(error).partition(": ")[0], mend)
    wrong = [f"{report.name}: {difference}" for report in reports for difference in report.differences]
    detail = "; ".join(wrong) or f"{len(reports)} as they should be at {kafka}"
    return checked("topics", not wrong, detail, "robovitals topics")


def _database(url: str, mend: str) -> Iterator[Check]:
    try:
        with psycopg.connect(url, connect_timeout=5) as connection:
            yield checked("database", True, f"answers at {connection.info.host}:{connection.info.port}", "")
            yield _extension(connection)
            yield _migrations(connection)
    except psycopg.OperationalError as error:
        yield checked("database", False, " ".join(str(error).split()), mend)


def _extension(connection: psycopg.Connection) -> Check:
    found = connection.execute("SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'").fetchone()
    detail = f"TimescaleDB {found[0]}" if found else "TimescaleDB is not in this database"
    return checked("extension", found is not None, detail, "robovitals migrate")


def _migrations(connection: psycopg.Connection) -> Check:
    there = connection.execute("SELECT to_regclass('migration')").fetchone() != (None,)
    applied = connection.execute("SELECT name, sha256 FROM migration").fetchall() if there else []
    wanted = [(migration.name, migration.sha256) for migration in read_migrations(DIRECTORY)]
    missing = [name for name, sha256 in wanted if (name, sha256) not in applied]
    detail = f"not applied as they are here: {', '.join(missing)}" if missing else f"{len(wanted)} applied"
    return checked("migrations", not missing, detail, "robovitals migrate")
