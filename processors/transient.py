"""What a database may answer on a bad day: wait, then do the same again. Anything else ends the process.

Used by whoever waits for it: `processors/repair.py`, `processors/notify/`.
"""

from asyncpg import exceptions as driver

from schemas.errors import RetryError

TRANSIENT = (
    OSError,
    TimeoutError,
    driver.InterfaceError,
    driver.InternalClientError,  # the database ended an idle connection, and its end is not read yet
    driver.PostgresConnectionError,
    driver.OperatorInterventionError,
    driver.TransactionRollbackError,
    driver.InsufficientResourcesError,
    driver.ObjectNotInPrerequisiteStateError,
    driver.InvalidTransactionStateError,
    driver.InvalidCachedStatementError,
    driver.PostgresSystemError,
    RetryError,
)
