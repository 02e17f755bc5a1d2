"""The outbox's statements: each is a file in `processors/notify/queries/`, with its parameters in its head."""

from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import TypeAlias

import asyncpg

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@cache
def sql(name: str) -> str:
    return files("processors.notify").joinpath(f"queries/{name}.sql").read_text(encoding="utf-8")


def at(time_us: int) -> datetime:
    """As the database wants a time."""
    return _EPOCH + timedelta(microseconds=time_us)
