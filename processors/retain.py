"""The process that makes hours of vitals, drops what has been kept long enough, makes checkpoints of logbooks, and
sees what maintenance is due.

In: the database, keep times, the platform's key, and our clock. Out: `vitals_hourly` (`processors/roll.py`), less
of the other tables (`processors/drop.py`), checkpoints (`processors/checkpointing.py`), and `maintenance_task`
(`processors/maintenance.py`). Run by `robovitals retain` in the shell of every process. Of several replicas one
works, by an advisory lock. A database that does not answer is waited for.

Rolling up is given a fifth of the time, whatever waits: the machine is there for what is live.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta

import asyncpg

from processors import drop, maintenance, roll_tables
from processors.checkpointing import Checkpointer, unpinned_s
from processors.repair import Pace
from processors.retain_metrics import RetainMetrics
from processors.retention import TABLES
from processors.roll import Roller
from processors.roll_tables import Connection
from processors.transient import look_until
from schemas.errors import ContractError, RetryError

LOOK_EVERY_S = 60.0
DROP_EVERY_S = 3600.0
JUDGE_EVERY_S = 3600.0
# Ours. A checkpoint more is a leaf more in the log for ever: in ten years 88 000, a quarter of a second each time.
CHECKPOINT_EVERY_S = 3600.0
WAIT_EVERY_S = 0.1
STUCK_AFTER_S = 600.0
CONNECT_TIMEOUT_S = 10.0
STATEMENT_TIMEOUT_S = 120.0
# A chunk is dropped when nobody is at it, or later: who lands must not stand behind us for long.
LOCK_TIMEOUT_MS = 5000

KeepTimes = Mapping[str, timedelta | None]

_log = logging.getLogger(__name__)


class Retainer:
    """`keep`: how long rows of each table stay (`retention.keep_times`); without `checkpointer` it makes none."""

    def __init__(
        self,
        database_url: str,
        keep: KeepTimes,
        metrics: RetainMetrics,
        checkpointer: Checkpointer | None = None,
    ) -> None:
        self._database_url = database_url
        self._keep = keep
        self._metrics = metrics
        self._checkpointer = checkpointer
        self._checkpoint_s = -CHECKPOINT_EVERY_S
        self._connection: Connection | None = None
        self._roller: Roller | None = None
        self._dropped_s = -DROP_EVERY_S
        self._judged_s = -JUDGE_EVERY_S
        self._looked_s: float | None = None
        metrics.progress_age_seconds.set_function(lambda: time.monotonic() - (self._looked_s or time.monotonic()))

    def not_ready(self) -> str | None:
        """As the shell asks."""
        return "it has not reached the database yet" if self._looked_s is None else None

    def stuck(self, now_s: float) -> str | None:
        """As the shell asks."""
        if self._looked_s is None or now_s - self._looked_s < STUCK_AFTER_S:
            return None
        return f"no look at the database has succeeded for {now_s - self._looked_s:.0f} s"

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`. Raises StopError where waiting will not help."""
        if self._checkpointer is None:
            _log.warning("no platform's key: no checkpoints of logbooks are made")
        try:
            await look_until(stop, "retain", lambda: self._turn(stop), self._disconnect, self._metrics.retries)
        finally:
            self._disconnect()

    async def _turn(self, stop: asyncio.Event) -> float:
        """A look, and how long to pause after it."""
        await self._look(stop)
        return LOOK_EVERY_S

    async def once(self) -> bool:
        """One look, without rests. Returns whether it was our turn."""
        try:
            connection, roller = await self._connected()
            if roller is not None:
                await self._roll(connection, roller, asyncio.Event(), lambda: asyncio.sleep(0))
                await self._drop(connection)
                await self._maintain(connection, with_counters=True)
            return roller is not None
        finally:
            self._disconnect()

    async def _look(self, stop: asyncio.Event) -> None:
        connection, roller = await self._connected()
        self._looked_s = time.monotonic()
        if roller is None:
            return
        pace = Pace()
        await self._roll(connection, roller, stop, pace.rest)
        self._metrics.roll_seconds.inc(pace.worked_s)
        if time.monotonic() - self._dropped_s > DROP_EVERY_S and not stop.is_set():
            await self._drop(connection)
            self._dropped_s = time.monotonic()
        if self._checkpointer is not None and not stop.is_set():
            await self._checkpoint(connection, self._checkpointer)
        is_judged = time.monotonic() - self._judged_s < JUDGE_EVERY_S
        await self._maintain(connection, with_counters=not is_judged)
        if not is_judged:
            self._judged_s = time.monotonic()

    def _turned(self) -> None:
        self._looked_s = time.monotonic()

    async def _checkpoint(self, connection: Connection, checkpointer: Checkpointer) -> None:
        """What stands in its way is for people to look at, and no reason not to go on with the rest."""
        try:
            if time.monotonic() - self._checkpoint_s > CHECKPOINT_EVERY_S:
                line = await checkpointer.make(connection, self._turned)
                self._checkpoint_s = time.monotonic()
                if line is not None:
                    _log.info("checkpoint %d of %d logbooks", line.checkpoint.size, line.checkpoint.heads)
                    self._metrics.checkpoints.inc()
            await checkpointer.publish(connection)
            self._metrics.checkpoint_fault.set(0)
        except ContractError as error:
            _log.error("no checkpoint: %s", error)
            self._metrics.checkpoint_fault.set(1)
            self._checkpoint_s = time.monotonic()  # it looks at all that is new, which people have to see to first
        except (RetryError, OSError, asyncpg.LockNotAvailableError) as error:
            _log.warning("a checkpoint waits: %s", error)
            self._metrics.retries.inc()
        self._metrics.unpinned_seconds.set(await unpinned_s(connection))

    async def _connected(self) -> tuple[Connection, Roller | None]:
        """With a roller where it is our turn."""
        if self._connection is None or self._connection.is_closed():
            self._connection = await connect(self._database_url)
            self._roller = None
        if self._roller is None and await roll_tables.is_ours(self._connection):
            await drop.pack(self._connection)
            self._roller = Roller(self._connection)
        return self._connection, self._roller

    async def _roll(
        self, connection: Connection, roller: Roller, stop: asyncio.Event, rest: Callable[[], Awaitable[None]]
    ) -> None:
        """All that is due."""
        all_claimed = False
        while not all_claimed and not stop.is_set():
            all_claimed = await roller.claim(datetime.now(UTC))
            while not stop.is_set():
                rolled = await roller.roll()
                self._looked_s = time.monotonic()
                if rolled is None:
                    await asyncio.sleep(WAIT_EVERY_S)
                    continue
                if not rolled:
                    break
                self._metrics.rolled_hours.inc(rolled)
                await rest()
            await self._tell(connection)

    async def _maintain(self, connection: Connection, with_counters: bool) -> None:
        """Follow logbooks and plans; the counters, which say more of every robot, less often."""
        now = datetime.now(UTC)
        if followed := await maintenance.follow(connection, now):
            _log.info("what maintenance is due was worked out for %d robots", followed)
        if with_counters:
            await maintenance.judge(connection, now)

    async def _tell(self, connection: Connection) -> None:
        progress = await roll_tables.progress(connection)
        self._metrics.due_hours.set(progress.due)
        if progress.rolled_until is not None:
            self._metrics.rolled_until_seconds.set(progress.rolled_until.timestamp())

    async def _drop(self, connection: Connection) -> None:
        now = datetime.now(UTC)
        kept = {table.table: 0 for table in TABLES}
        for verdict in await drop.look(connection, self._keep, now):
            table = verdict.chunk.table
            if verdict.because or not await drop.drop(connection, verdict.chunk):
                kept[table] += 1
                _log.warning("%s of %s stays: %s", table, verdict.chunk.start, verdict.because or "needed just now")
                continue
            _log.info("dropped %s of %s until %s", table, verdict.chunk.start, verdict.chunk.end)
            self._metrics.dropped_chunks.labels(table).inc()
            self._metrics.dropped_bytes.labels(table).inc(verdict.chunk.size_bytes)
        for table, count in kept.items():
            self._metrics.kept_chunks.labels(table).set(count)
        for table, count in (await drop.delete_rows(connection, self._keep, now)).items():
            self._metrics.deleted_rows.labels(table).inc(count)

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None


async def connect(database_url: str) -> Connection:
    """A session of its own."""
    return await asyncpg.connect(
        database_url,
        timeout=CONNECT_TIMEOUT_S,
        command_timeout=STATEMENT_TIMEOUT_S,
        server_settings={"application_name": "robovitals retain", "lock_timeout": f"{LOCK_TIMEOUT_MS}"},
    )
