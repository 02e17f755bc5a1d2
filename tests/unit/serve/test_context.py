"""What a database that goes down says, told as what it is."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from asyncpg import exceptions as driver
from prometheus_client import CollectorRegistry

from schemas.errors import UnavailableError
from serve.context import Context
from serve.metrics import ServeMetrics


class _Pool:
    @asynccontextmanager
    async def acquire(self, timeout: float) -> AsyncIterator[object]:
        yield object()


@pytest.mark.parametrize(
    "error",
    [
        driver.CannotConnectNowError("the database system is starting up"),
        driver.AdminShutdownError("terminating connection"),
        driver.TooManyConnectionsError("too many clients"),
        driver.ConnectionDoesNotExistError("connection was closed"),
        driver.QueryCanceledError("statement timeout"),
        ConnectionResetError(),
    ],
)
async def test_a_database_on_a_bad_day_is_away_and_not_a_fault_of_ours(error: Exception) -> None:
    context: Any = Context("", ServeMetrics.create(CollectorRegistry()))
    context._pool = _Pool()
    with pytest.raises(UnavailableError, match="robovitals doctor"):
        async with context.own():
            raise error


async def test_a_wrong_question_stays_a_fault_of_ours() -> None:
    context: Any = Context("", ServeMetrics.create(CollectorRegistry()))
    context._pool = _Pool()
    with pytest.raises(driver.UndefinedColumnError):
        async with context.own():
            raise driver.UndefinedColumnError("no such column")
