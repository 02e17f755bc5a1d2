"""What people take away: a table's rows of some robots and a range of time, as CSV or Parquet, in pieces.

In: an asyncpg connection (one that row-level security narrows exports what it may see), and an `Export`. Out: the
file's bytes as they come, and how far it is. Called by `robovitals export` and the API. Robots come one after the
other, each through a cursor of the server in a transaction of its own: memory stays the same however long it takes.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

import asyncpg
import msgspec

from serve.database import ask, filled
from serve.export_csv import CsvFile
from serve.filters import Filter, of_robot

ROWS_AT_ONCE = 2000


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
    """How many robots are done, of how many, and the rows so far."""

    done: int
    robots: int
    rows: int


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


async def export(
    connection: asyncpg.Connection, asked: Export, told: Callable[[Progress], None] = lambda progress: None
) -> AsyncIterator[bytes]:
    """The file's bytes. Numbers of rows are told as they grow. Raises UnavailableError."""
    table, file = _TABLES[asked.what], file_of(asked.format)
    sql = filled("export", columns="*", table=table.name, time=table.time, order=table.order)
    condition = of_robot(asked.wanted)
    robots = await ask(connection, "export_robots", *condition.parameters, condition=condition.sql)
    statement = await connection.prepare(sql)
    yield file.begin([(a.name, a.type.name) for a in statement.get_attributes()])
    rows = 0
    for done, robot in enumerate(robots):
        async with connection.transaction():
            cursor = await connection.cursor(sql, robot["robot_id"], asked.start, asked.end)
            while found := await cursor.fetch(ROWS_AT_ONCE):
                # Encoding takes a while, and whoever serves others must go on meanwhile.
                yield await asyncio.to_thread(file.add, found)
                rows += len(found)
                told(Progress(done, len(robots), rows))
        told(Progress(done + 1, len(robots), rows))
    yield await asyncio.to_thread(file.end)
