"""Every error that asyncpg can raise has an outcome that somebody has chosen."""

import asyncpg
import pytest
from asyncpg import exceptions as driver

from ingest.database_errors import DRIVER_ERRORS, OUTCOMES, Outcome, one_line, outcome_of

FAMILIES = (asyncpg.PostgresError, driver.InterfaceError, driver.InternalClientError)


def _every_class() -> list[type]:
    return [kind for kind in vars(driver).values() if isinstance(kind, type) and issubclass(kind, FAMILIES)]


def test_every_family_of_the_driver_is_named():
    heads = [kind for kind in _every_class() if set(kind.__bases__) & set(FAMILIES)]
    assert len(heads) > 40
    assert {kind.__name__ for kind in heads if kind not in OUTCOMES} == set()


def test_whatever_the_driver_raises_is_caught():
    raised = [kind for kind in vars(driver).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    strangers = {k.__name__ for k in raised if not issubclass(k, DRIVER_ERRORS) and not issubclass(k, Warning)}
    assert strangers == {"InterfaceMessage", "PostgresMessage"} & strangers


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (asyncpg.UniqueViolationError(""), Outcome.DUPLICATE),
        (asyncpg.NotNullViolationError(""), Outcome.REFUSED),
        (asyncpg.CharacterNotInRepertoireError(""), Outcome.REFUSED),
        (asyncpg.NumericValueOutOfRangeError(""), Outcome.REFUSED),
        (asyncpg.UntranslatableCharacterError(""), Outcome.REFUSED),
        (asyncpg.OutOfMemoryError(""), Outcome.TOO_MUCH),
        (asyncpg.QueryCanceledError(""), Outcome.TOO_MUCH),
        (asyncpg.DiskFullError(""), Outcome.RETRY),
        (asyncpg.TooManyConnectionsError(""), Outcome.RETRY),
        (asyncpg.DeadlockDetectedError(""), Outcome.RETRY),
        (asyncpg.SerializationError(""), Outcome.RETRY),
        (asyncpg.LockNotAvailableError(""), Outcome.RETRY),
        (asyncpg.AdminShutdownError(""), Outcome.RETRY),
        (asyncpg.CannotConnectNowError(""), Outcome.RETRY),
        (asyncpg.ConnectionDoesNotExistError(""), Outcome.RETRY),
        (asyncpg.ReadOnlySQLTransactionError(""), Outcome.RETRY),
        (asyncpg.InterfaceError(""), Outcome.RETRY),
        (ConnectionRefusedError(), Outcome.RETRY),
        (TimeoutError(), Outcome.RETRY),
        (asyncpg.InvalidPasswordError(""), Outcome.STOP),
        (asyncpg.UndefinedTableError(""), Outcome.STOP),
        (asyncpg.InsufficientPrivilegeError(""), Outcome.STOP),
        (asyncpg.DataCorruptedError(""), Outcome.STOP),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value.name,
)
def test_the_outcome_is_that_of_the_nearest_class_named(error: Exception, outcome: Outcome):
    assert outcome_of(error) is outcome


def test_a_persons_line_is_never_empty_and_never_two():
    assert one_line(asyncpg.DataError("a\n  b")) == "a b"
    assert one_line(TimeoutError()) == "TimeoutError"
