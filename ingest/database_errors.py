"""What to do about each error of the database driver: the one place that knows asyncpg's exceptions.

In: an exception that asyncpg, or the connection under it, raised. Out: an `Outcome`. Called by
`ingest/landing.py`. A unit test fails when asyncpg has a family of errors that this table does not name.
"""

from enum import Enum

import asyncpg
from asyncpg import exceptions as driver


class Outcome(Enum):
    """DUPLICATE: a row is there already. REFUSED: some record of the batch cannot be stored. TOO_MUCH: as much
    at once cannot be done, half of it may. RETRY: the server is at fault, the same may succeed later. STOP: a
    person has to look.
    """

    DUPLICATE = "duplicate"
    REFUSED = "refused"
    TOO_MUCH = "too much"
    RETRY = "retry"
    STOP = "stop"


OUTCOMES: dict[type[BaseException], Outcome] = {
    # The data: what decodes should never get here, so these are looked for record by record.
    driver.DataError: Outcome.REFUSED,
    driver.IntegrityConstraintViolationError: Outcome.REFUSED,
    driver.UniqueViolationError: Outcome.DUPLICATE,
    driver.WithCheckOptionViolationError: Outcome.REFUSED,
    driver.ProgramLimitExceededError: Outcome.REFUSED,
    # A batch of many chunks needs many locks, and their table is kept in memory of a fixed size.
    driver.OutOfMemoryError: Outcome.TOO_MUCH,
    driver.ConfigurationLimitExceededError: Outcome.TOO_MUCH,
    driver.QueryCanceledError: Outcome.TOO_MUCH,  # statement_timeout
    # The server or the way to it.
    driver.PostgresConnectionError: Outcome.RETRY,
    driver.TransactionRollbackError: Outcome.RETRY,  # deadlock, serialization
    driver.InsufficientResourcesError: Outcome.RETRY,  # disk full, too many connections
    driver.ObjectNotInPrerequisiteStateError: Outcome.RETRY,  # a lock is not available
    driver.OperatorInterventionError: Outcome.RETRY,  # shutting down, starting up
    driver.PostgresSystemError: Outcome.RETRY,  # an I/O error of the server's disk
    driver.InvalidTransactionStateError: Outcome.RETRY,  # idle too long; read-only after a failover
    driver.SnapshotTooOldError: Outcome.RETRY,
    driver.InvalidCachedStatementError: Outcome.RETRY,  # the schema was migrated under our feet
    driver.OutdatedSchemaCacheError: Outcome.RETRY,
    driver.InterfaceError: Outcome.RETRY,  # the connection was lost before the call
    driver.InternalClientError: Outcome.RETRY,  # likewise, when the server said why while nothing was being asked
    driver.ProtocolError: Outcome.RETRY,
    driver.TargetServerAttributeNotMatched: Outcome.RETRY,  # the URL asks for a primary, and there is none yet
    OSError: Outcome.RETRY,
    TimeoutError: Outcome.RETRY,
    # The schema, the rights, or a bug.
    driver.FatalPostgresError: Outcome.STOP,
    driver.SQLStatementNotYetCompleteError: Outcome.STOP,
    driver.TriggeredActionError: Outcome.STOP,
    driver.FeatureNotSupportedError: Outcome.STOP,
    driver.InvalidTransactionInitiationError: Outcome.STOP,
    driver.LocatorError: Outcome.STOP,
    driver.InvalidGrantorError: Outcome.STOP,
    driver.InvalidRoleSpecificationError: Outcome.STOP,
    driver.DiagnosticsError: Outcome.STOP,
    driver.InvalidArgumentForXqueryError: Outcome.STOP,
    driver.CaseNotFoundError: Outcome.STOP,
    driver.CardinalityViolationError: Outcome.STOP,
    driver.InvalidCursorStateError: Outcome.STOP,
    driver.InvalidSQLStatementNameError: Outcome.STOP,
    driver.TriggeredDataChangeViolationError: Outcome.STOP,
    driver.InvalidAuthorizationSpecificationError: Outcome.STOP,
    driver.DependentPrivilegeDescriptorsStillExistError: Outcome.STOP,
    driver.InvalidTransactionTerminationError: Outcome.STOP,
    driver.SQLRoutineError: Outcome.STOP,
    driver.InvalidCursorNameError: Outcome.STOP,
    driver.ExternalRoutineError: Outcome.STOP,
    driver.ExternalRoutineInvocationError: Outcome.STOP,
    driver.SavepointError: Outcome.STOP,
    driver.InvalidCatalogNameError: Outcome.STOP,
    driver.InvalidSchemaNameError: Outcome.STOP,
    driver.SyntaxOrAccessError: Outcome.STOP,
    driver.ConfigFileError: Outcome.STOP,
    driver.FDWError: Outcome.STOP,
    driver.PLPGSQLError: Outcome.STOP,
    driver.InternalServerError: Outcome.STOP,
    driver.ClientConfigurationError: Outcome.STOP,
    driver.UnsupportedClientFeatureError: Outcome.STOP,
    driver.UnsupportedServerFeatureError: Outcome.STOP,
}

DRIVER_ERRORS = (asyncpg.PostgresError, driver.InterfaceError, driver.InternalClientError, OSError, TimeoutError)
"""What asyncpg raises. A programming error of our own is not among them and ends the process with its trace."""


def outcome_of(error: BaseException) -> Outcome:
    """What to do about `error`, by the nearest of its classes that the table names."""
    return next((OUTCOMES[kind] for kind in type(error).__mro__ if kind in OUTCOMES), Outcome.STOP)


def one_line(error: BaseException) -> str:
    """For a person: the driver's words, or its class where it has none (a timeout)."""
    return " ".join(str(error).split()) or type(error).__name__
