"""The questions that people ask of the database: each one a named file in `serve/queries/`.

In: an asyncpg connection and a question's parameters. Out: rows as structs. Called by the command line.
"""

from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

import asyncpg
import msgspec
from asyncpg import exceptions as driver

from schemas.errors import UnavailableError
from schemas.health import SEVERITY, ComponentHealth
from serve.filters import Filter, of_code
from serve.hub import Head, Listed

Row = TypeVar("Row", bound=msgspec.Struct)

# What a database says that is restarting, full or on its way down: whoever asked may ask again.
_AWAY = (
    OSError,
    TimeoutError,
    driver.InterfaceError,
    driver.InternalClientError,
    driver.PostgresConnectionError,
    driver.OperatorInterventionError,
    driver.InsufficientResourcesError,
    driver.TransactionRollbackError,
)

EVERY_ROBOT = Filter()
WORST_FIRST = sorted(SEVERITY, key=lambda status: -SEVERITY[status])


class RobotState(msgspec.Struct, frozen=True, kw_only=True):
    """One robot as it was last judged. Without a judgement everything but code and status is None or empty.

    `last_seen` is the event time of its last frame, `received` when the broker had it, `assessed` the event time
    of the judgement where it was asked for; `site` is empty where nobody has said.
    """

    robot_id: str
    status: str | None
    zone: str | None
    mode: str | None
    software: str | None
    open_episodes: int | None
    last_seen: datetime | None
    received: datetime | None
    components: list[ComponentHealth] | None
    assessed: datetime | None = None
    scenario: str | None = None
    site: str = ""
    first_time: datetime | None = None


class AnomalyLine(msgspec.Struct, frozen=True, kw_only=True):
    """One transition of an episode, in a line."""

    robot_id: str
    transition: str
    status: str
    component: str
    rule: str
    text: str
    last_time: datetime
    live: bool


class OpenEpisode(msgspec.Struct, frozen=True, kw_only=True):
    """An episode that is not over; `value` and `limit_value` in `unit`, None where its rule has none. `state` is
    what an operator has to do about it.
    """

    episode_id: str
    state: str
    status: str
    component: str
    signal: str
    rule: str
    value: float | None
    unit: str
    limit_value: float | None
    opened: datetime
    last_sign: datetime
    count: int
    text: str


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """An episode whose state is not normal. `actor`, `note`, `acted`: what a person did about it last."""

    episode_id: str
    robot_id: str
    component: str
    rule: str
    about: str
    status: str
    state: str
    active: bool
    chattering: bool
    parent: str
    opened: datetime
    last_sign: datetime
    cleared: datetime | None
    shelved_until: datetime | None
    count: int
    actor: str
    note: str
    acted: datetime | None
    text: str


class Deed(msgspec.Struct, frozen=True, kw_only=True):
    """What a person did about an episode, and the state that it has from then on."""

    episode_id: str
    transition: str
    state: str
    component: str
    text: str


class OutOfService(msgspec.Struct, frozen=True, kw_only=True):
    """A component that calls nobody; all of the robot where it is empty. Who said so, why, and since when."""

    robot_id: str
    component: str
    actor: str
    note: str
    since: datetime


class HistoryLine(msgspec.Struct, frozen=True, kw_only=True):
    """One transition of one episode of a robot; `actor` and `note` are empty where no person brought it about."""

    episode_id: str
    number: int
    transition: str
    status: str
    component: str
    rule: str
    text: str
    time: datetime
    live: bool
    actor: str = ""
    note: str = ""


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """One figure over the windows that begin in one stretch of time; None where no window had the value."""

    time: datetime
    value: float | None
    frames: int


async def connect(database_url: str) -> asyncpg.Connection:
    """A connection for reading. Raises UnavailableError when the database does not answer."""
    try:
        connection = await asyncpg.connect(database_url, timeout=10)
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        raise UnavailableError(f"the database does not answer ({error}): `robovitals doctor`") from None
    await prepare(connection)
    return connection


@asynccontextmanager
async def connected(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """The same for as long as it is needed."""
    connection = await connect(database_url)
    try:
        yield connection
    finally:
        await connection.close()


async def prepare(connection: asyncpg.Connection) -> None:
    """What every connection of ours needs before its first question."""
    await connection.set_type_codec("jsonb", encoder=str, decoder=msgspec.json.decode, schema="pg_catalog")


async def status_counts(connection: asyncpg.Connection) -> dict[str, int]:
    """Robots by status, worst first; a status that no robot has is 0."""
    rows = await ask(connection, "status_counts")
    found = {row["status"]: row["robots"] for row in rows}
    return {status.value: found.get(status.value, 0) for status in WORST_FIRST}


async def worst_robots(connection: asyncpg.Connection, count: int) -> list[RobotState]:
    """The robots that need somebody most, worst first."""
    return await rows(connection, RobotState, "worst_robots", [s.value for s in WORST_FIRST], count)


async def latest_anomalies(connection: asyncpg.Connection, count: int) -> list[AnomalyLine]:
    """The newest transitions."""
    return await rows(connection, AnomalyLine, "latest_anomalies", count)


async def robot(connection: asyncpg.Connection, code: str) -> RobotState | None:
    """One robot, or None when nothing of it has landed."""
    found = await rows(connection, RobotState, "robot", code)
    return found[0] if found else None


async def similar_robots(connection: asyncpg.Connection, text: str, count: int = 5) -> list[str]:
    """Codes that hold `text`."""
    return [row["robot_id"] for row in await ask(connection, "similar_robots", text, count)]


async def open_episodes(connection: asyncpg.Connection, code: str) -> list[OpenEpisode]:
    """The episodes of a robot that are not over, newest first."""
    return await rows(connection, OpenEpisode, "open_episodes", code)


async def alarms(
    connection: asyncpg.Connection, code: str | None = None, with_muted: bool = True, count: int = 1000
) -> list[Alarm]:
    """Of one robot or of all."""
    statuses = [status.value for status in WORST_FIRST]
    return await rows(connection, Alarm, "alarms", statuses, code, with_muted, count)


async def alarms_by_id(connection: asyncpg.Connection, episode_ids: list[str]) -> list[Alarm]:
    """Episodes, also those that are on no list any more; unknown ids are left out."""
    return await rows(connection, Alarm, "alarms_by_id", episode_ids)


async def parents_of(connection: asyncpg.Connection, alarms: Iterable[Alarm]) -> dict[str, Alarm]:
    """By their ids the episodes that speak for these, as far as who asks may see them."""
    parents = sorted({alarm.parent for alarm in alarms} - {""})
    return {parent.episode_id: parent for parent in await alarms_by_id(connection, parents)} if parents else {}


async def members(connection: asyncpg.Connection, parent: str, count: int) -> list[Alarm]:
    """The episodes that a parent speaks for, worst first."""
    return await rows(connection, Alarm, "members", parent, [status.value for status in WORST_FIRST], count)


async def transitions(connection: asyncpg.Connection, episode_id: str, count: int) -> list[HistoryLine]:
    """What happened to one episode, newest first."""
    return await rows(connection, HistoryLine, "transitions", episode_id, count)


async def alarm_counts(connection: asyncpg.Connection) -> dict[str, int]:
    """Episodes by state; `muted` are those that a parent speaks for."""
    return {row["state"]: row["episodes"] for row in await ask(connection, "alarm_counts")}


async def out_of_service(
    connection: asyncpg.Connection, code: str | None = None, wanted: Filter = EVERY_ROBOT
) -> list[OutOfService]:
    """Of one robot or of all, as far as their codes and sites meet a filter."""
    condition = of_code(wanted, first=2)
    parameters = (code, *condition.parameters)
    return await rows(connection, OutOfService, "out_of_service", *parameters, condition=condition.sql)


async def deeds(connection: asyncpg.Connection, code: str, actor: str, acted: datetime) -> list[Deed]:
    """What came of an action."""
    return await rows(connection, Deed, "deeds", code, actor, acted)


async def history(connection: asyncpg.Connection, code: str, component: str, count: int) -> list[HistoryLine]:
    """What happened to the episodes of a robot's component (all of them where it is empty), newest first."""
    return await rows(connection, HistoryLine, "history", code, component, count)


async def stretches(
    connection: asyncpg.Connection, code: str, figure: str, start: datetime, end: datetime, length: timedelta
) -> list[Stretch]:
    """A figure (`serve/figures.py`) of a robot's windows from `start` until `end`, by stretches that are multiples
    of `length`; one without windows is left out.
    """
    found = await ask(connection, "stretches", code, start, end, length, figure=figure)
    return [msgspec.convert(dict(row), Stretch) for row in found]


async def stream_begin(connection: asyncpg.Connection) -> tuple[list[Head], list[Listed]]:
    """Every robot's judgement and every episode that is listed, as the live stream begins with them."""
    return await rows(connection, Head, "stream_heads"), await rows(connection, Listed, "stream_listed")


async def landed_offsets(connection: asyncpg.Connection, topic: str) -> dict[int, int]:
    """By partition the next offset to land."""
    return {row["partition"]: row["next_offset"] for row in await ask(connection, "landed_offsets", topic)}


async def latest_frames(connection: asyncpg.Connection, code: str, count: int) -> list[dict[str, Any]]:
    """The newest frames of a robot, newest first, by column name."""
    return [dict(row) for row in await ask(connection, "latest_frames", code, count)]


async def latest_vitals(connection: asyncpg.Connection, code: str, count: int) -> list[dict[str, Any]]:
    """The newest windows of a robot, newest first, by column name."""
    return [dict(row) for row in await ask(connection, "latest_vitals", code, count)]


def filled(question: str, **parts: str) -> str:
    """A question of `serve/queries` with its braces filled."""
    return _sql(question).format(**parts) if parts else _sql(question)


@cache
def _sql(name: str) -> str:
    return files("serve").joinpath(f"queries/{name}.sql").read_text(encoding="utf-8")


async def rows(
    connection: asyncpg.Connection, kind: type[Row], question: str, *parameters: Any, **parts: str
) -> list[Row]:
    """The answer to a question of `serve/queries`, as structs."""
    return [msgspec.convert(dict(row), kind) for row in await ask(connection, question, *parameters, **parts)]


async def ask(
    connection: asyncpg.Connection, question: str, *parameters: Any, **parts: str
) -> list[asyncpg.Record]:
    """The rows that answer a question of `serve/queries`; `parts` fill its braces. Raises UnavailableError."""
    sql = filled(question, **parts)
    try:
        with told_as_ours():
            return await connection.fetch(sql, *parameters)
    except driver.UndefinedTableError:
        raise UnavailableError("the database has no tables of ours: `robovitals migrate`") from None


@contextmanager
def told_as_ours() -> Iterator[None]:
    """A driver's error becomes an UnavailableError where the database is away. Everything else is a fault of ours,
    and stays what it is: also a value that cannot be a parameter, which asyncpg says in an InterfaceError that is
    a ValueError too.
    """
    try:
        yield
    except _AWAY as error:
        if isinstance(error, ValueError):
            raise
        raise UnavailableError(f"the database went away ({error!r}): `robovitals doctor`") from None
