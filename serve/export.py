"""What people take away: a table's rows of some robots and a range of time, as CSV or Parquet, in pieces.

In: connections (those that row-level security narrows export what they may see), and an `Export`. Out: how much it
is, the file's bytes as they come, and how far it is. Called by `robovitals export` and `serve/routes/export.py`.
Robots come one after the other, each through a cursor of the server in a transaction of its own: memory stays the
same however long it takes, and no snapshot outlives a robot.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

import asyncpg
import msgspec

from serve.database import ask, filled
from serve.export_csv import CsvFile
from serve.filters import Filter, of_robot

ROWS_AT_ONCE = 2000
COUNT_WITHIN_S = 3.0


class What(StrEnum):
    """A table that can be exported."""

    FRAMES = "frames"
    VITALS = "vitals"
    HOURLY = "hourly"
    HEALTH = "health"
    ANOMALIES = "anomalies"


class Format(StrEnum):
    """CSV is text with a head; joints' readings are a JSON list in a cell. Parquet keeps types, lists included."""

    CSV = "csv"
    PARQUET = "parquet"


class Export(msgspec.Struct, frozen=True, kw_only=True):
    """Of these robots, from `start` until before `end` (event time)."""

    what: What
    wanted: Filter
    start: datetime
    end: datetime
    format: Format


class Progress(msgspec.Struct, frozen=True):
    """How many robots are done, of how many, and the rows so far. `share`: of robots and of the range of time,
    0..1; for that nothing has to be counted first.
    """

    done: int
    robots: int
    rows: int
    share: float


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """How much would come. `rows` null: more than could be counted in a moment."""

    robots: int
    rows: int | None


class File(Protocol):
    """A format: pieces of a file, in their order. `columns`: name and PostgreSQL type of each."""

    def begin(self, columns: Sequence[tuple[str, str]]) -> bytes: ...
    def add(self, rows: Sequence[Any]) -> bytes: ...
    def end(self) -> bytes: ...


class _Table(msgspec.Struct, frozen=True):
    name: str
    time: str
    order: str


_TABLES = {
    What.FRAMES: _Table("frame", "time", "time, seq"),
    What.VITALS: _Table("vitals", "start", "start, length_us"),
    What.HOURLY: _Table("vitals_hourly", "start", "start"),
    What.HEALTH: _Table("health_history", "time", "time"),
    What.ANOMALIES: _Table("anomaly", "last_time", "last_time, episode_id, number"),
}


def file_of(form: Format) -> File:
    """Raises ModuleNotFoundError where Parquet's extra is not installed."""
    if form is Format.CSV:
        return CsvFile()
    from serve.export_parquet import ParquetFile

    return ParquetFile()


async def robots_of(connection: asyncpg.Connection, wanted: Filter) -> list[str]:
    """Whose rows are exported, in their order. Raises UnavailableError."""
    condition = of_robot(wanted)
    found = await ask(connection, "export_robots", *condition.parameters, condition=condition.sql)
    return [row["robot_id"] for row in found]


async def size_of(connection: asyncpg.Connection, asked: Export) -> Size:
    """In a transaction: what is too much to be counted is given up there."""
    table, condition = _TABLES[asked.what], of_robot(asked.wanted, first=3)
    robots = len(await robots_of(connection, asked.wanted))
    sql = filled("export_size", table=table.name, time=table.time, condition=condition.sql)
    try:
        async with connection.transaction():
            rows = await connection.fetchval(
                sql, asked.start, asked.end, *condition.parameters, timeout=COUNT_WITHIN_S
            )
    except TimeoutError:
        return Size(robots=robots, rows=None)
    return Size(robots=robots, rows=rows)


async def export(
    reading: Callable[[], AbstractAsyncContextManager[asyncpg.Connection]],
    asked: Export,
    robots: Sequence[str],
    told: Callable[[Progress], None] = lambda progress: None,
) -> AsyncGenerator[bytes, None]:
    """The file's bytes. `reading` opens a transaction, one a robot. Numbers of rows are told as they grow."""
    table, file, rows = _TABLES[asked.what], file_of(asked.format), 0
    sql = filled("export", columns="*", table=table.name, time=table.time, order=table.order)
    async with reading() as connection:
        attributes = (await connection.prepare(sql)).get_attributes()
    told(Progress(0, len(robots), 0, 0.0))
    yield file.begin([(attribute.name, attribute.type.name) for attribute in attributes])
    for done, robot in enumerate(robots):
        async with reading() as connection:
            cursor = await connection.cursor(sql, robot, asked.start, asked.end)
            while found := await cursor.fetch(ROWS_AT_ONCE):
                # Encoding takes a while, and whoever serves others must go on meanwhile.
                piece = await asyncio.to_thread(file.add, found)
                rows += len(found)
                within = (found[-1][table.time] - asked.start) / (asked.end - asked.start)
                told(Progress(done, len(robots), rows, (done + within) / len(robots)))
                yield piece
        told(Progress(done + 1, len(robots), rows, (done + 1) / len(robots)))
    yield await asyncio.to_thread(file.end)
