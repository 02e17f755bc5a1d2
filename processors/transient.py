"""What a database may answer on a bad day: wait, then do the same again. Anything else ends the process.

Used by whoever waits for it: `processors/repair.py`, `processors/retain.py`, `processors/notify/`.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

import asyncpg
from asyncpg import exceptions as driver
from prometheus_client import Counter

from schemas.errors import RetryError, StopError, UnavailableError

FIRST_BACKOFF_S = 0.5
LONGEST_BACKOFF_S = 15.0

_log = logging.getLogger(__name__)

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


async def rest(stop: asyncio.Event, seconds: float) -> None:
    """So long, or until `stop`."""
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


async def look_until(
    stop: asyncio.Event,
    what: str,
    look: Callable[[], Awaitable[float]],
    disconnect: Callable[[], None],
    retries: Counter,
    pause: Callable[[asyncio.Event, float], Awaitable[None]] = rest,
) -> None:
    """Look at the database again and again; `look` returns the seconds to pause, which `pause` does. Raises
    StopError where waiting will not help.
    """
    backoff_s = FIRST_BACKOFF_S
    while not stop.is_set():
        try:
            pause_s, backoff_s = await look(), FIRST_BACKOFF_S
        except TRANSIENT as error:
            _log.warning("%s waits: %s", what, " ".join(str(error).split()) or type(error).__name__)
            retries.inc()
            disconnect()
            pause_s, backoff_s = backoff_s, min(2 * backoff_s, LONGEST_BACKOFF_S)
        except driver.UndefinedTableError as error:
            raise UnavailableError(f"the database is not up to date: {error}; `robovitals migrate`") from None
        except asyncpg.PostgresError as error:
            raise StopError(f"{what} cannot go on, the database says: {error}") from error
        if pause_s > 0:
            await pause(stop, pause_s)
