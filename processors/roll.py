"""The roll-up: vitals become hours, and hours are made again when windows of them land later.

In: rows of `vitals`, and the hours that `hourly_due` names. Out: rows of `vitals_hourly`. Called by
`processors/retain.py`, which has the connection and the only turn at it (an advisory lock).

When an hour is over it is claimed: every robot's is noted as due, and `rolled_until` moves behind it, in one
transaction. From then on the lander notes what it lands of it (`ingest/hours.py`). A batch that was under way does
not, so nothing is read before all transactions of that moment have ended. What is due is rolled up some hours at a
time, each time in one transaction with the removal of its notes: a kill leaves it due.
"""

import logging
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from processors import roll_tables as tables
from processors.hourly import hourly_rows
from processors.roll_tables import Connection, Due

# Windows, their grace and the way through two topics; what comes later is noted and costs its hour once more.
AFTER = timedelta(minutes=3)
STEP = timedelta(days=1)  # of what a whole fleet had before there were hours, so much is noted at a time
DUE_AT_MOST = 100_000
LONG_S = 30.0

_log = logging.getLogger(__name__)


def complete_until(now: datetime) -> datetime:
    """Up to when hours are over, and their windows probably landed."""
    return (now - AFTER).astimezone(UTC).replace(minute=0, second=0, microsecond=0)


class Roller:
    """Holds what one session knows; another begins anew."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._begin_at: int | None = None
        self._waiting_since_s = 0.0

    async def claim(self, now: datetime) -> bool:
        """Note what is due by now. Returns whether that is all: else some of it is to be rolled up first."""
        until = complete_until(now)
        progress = await tables.progress(self._connection)
        since = progress.rolled_until or await tables.first_time(self._connection) or until
        # What another session has claimed before us, is waited for as well.
        if self._begin_at is not None and since >= until:
            return True
        if progress.due > DUE_AT_MOST:
            return False
        target = max(since, min(until, since + STEP))
        await tables.claim(self._connection, target)
        self._begin_at, self._waiting_since_s = await tables.horizon(self._connection), time.monotonic()
        return target >= until

    async def roll(self) -> int | None:
        """Roll up some of what is due. Returns how many robots' hours; None: a transaction must be waited for."""
        if self._begin_at is None or await self._must_wait(self._begin_at):
            return None
        async with self._connection.transaction():
            due = await tables.due(self._connection)
            if not due:
                return 0
            await self._hours(due)
            await tables.finish(self._connection, due)
        return len(due)

    async def _hours(self, due: Sequence[Due]) -> None:
        rows = hourly_rows(await tables.windows(self._connection, due))
        if rows:
            await tables.store(self._connection, rows)

    async def _must_wait(self, begin_at: int) -> bool:
        if await tables.oldest_running(self._connection) >= begin_at:
            self._waiting_since_s = time.monotonic()
            return False
        if time.monotonic() - self._waiting_since_s > LONG_S:
            _log.warning("the roll-up waits for a transaction that has been open for more than %.0f s", LONG_S)
            self._waiting_since_s = time.monotonic()
        return True
