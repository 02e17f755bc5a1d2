"""What the driver says, and what of it is an outage: everything else is a bug, and must not look like one."""

import pytest
from asyncpg import exceptions as driver

from schemas.errors import UnavailableError
from serve.database import told_as_ours


class WrongParameterError(driver.InterfaceError, ValueError):
    """As the driver's own for a value that a parameter cannot be."""


@pytest.mark.parametrize(
    "error",
    [
        OSError("no route"),
        TimeoutError(),
        driver.InterfaceError("the connection is closed"),
        driver.ConnectionDoesNotExistError("closed in the middle"),
        driver.AdminShutdownError("terminating"),
        driver.QueryCanceledError("statement timeout"),
        driver.TooManyConnectionsError("sorry"),
        driver.DiskFullError("no space"),
        driver.DeadlockDetectedError("deadlock"),
    ],
)
def test_what_a_database_says_that_is_away_is_an_outage(error):
    with pytest.raises(UnavailableError, match="the database went away"), told_as_ours():
        raise error


@pytest.mark.parametrize(
    "error",
    [
        driver.PostgresSyntaxError("a mistake of ours"),
        driver.UndefinedColumnError("no such column"),
        driver.InsufficientPrivilegeError("denied"),
        driver.DataError("division by zero"),
        WrongParameterError("an integer is required"),
    ],
)
def test_a_mistake_of_ours_stays_one(error):
    with pytest.raises(type(error)), told_as_ours():
        raise error
