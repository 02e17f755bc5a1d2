"""The keeper of incidents: faults open them, windows that are over complete them, what comes late is appended.

In: `anomaly` (faults of robots' own), `frame` and what else is frozen. Out: `incident` and its tables, and an entry
for the robot's logbook. The second loop of `robovitals retain`; of several replicas one works, by an advisory lock.
A fault is found by its episode, which the assessor opens from the first live frame in fault mode: so neither
landing nor assessing does anything for it, and a replay is the same episode again.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import asyncpg
import msgspec

from processors.incident import freeze, tables
from processors.incident.opening import FAULT, Lately, id_of, refusal
from processors.incident.tables import AFTER, Connection, Incident
from processors.retain_metrics import RetainMetrics
from processors.transient import look_until

LOOK_EVERY_S = 2.0
APPEND_EVERY_S = 300.0
AT_ONCE = 100
# Without a later frame of the robot: for so long its window is waited for, the way through Kafka included.
PATIENCE = timedelta(minutes=2)
FRAME_PATIENCE = timedelta(minutes=1)
BACK = timedelta(days=6)  # within what is kept of frames without a setting
CONNECT_TIMEOUT_S, STATEMENT_TIMEOUT_S = 10.0, 60.0
_log = logging.getLogger(__name__)

_LOCK = 0x696E63  # any number that nobody else uses: "inc"

_NOTE_FAULT = """
INSERT INTO incident_fault (episode_id, robot_id, at, incident_id, because) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING"""


class Told(msgspec.Struct, frozen=True):
    """A completed incident, for its entry in the logbook."""

    incident_id: str
    robot_id: str
    at: datetime
    completed: datetime
    verdict: str
    part: str
    text: str


Tell = Callable[[Told], Awaitable[None]]


class Keeper:
    """`tell` sends an incident's entry to the logbook's topic and returns when it is acknowledged; None: nobody
    signs for the platform here. `platforms`: whose seals a logbook has.
    """

    def __init__(
        self, database_url: str, metrics: RetainMetrics, tell: Tell | None, platforms: frozenset[str]
    ) -> None:
        self._database_url = database_url
        self._metrics = metrics
        self._tell = tell
        self._platforms = platforms
        self._connection: Connection | None = None
        self._ours = False
        self._appended_s = -APPEND_EVERY_S

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`. Raises StopError where waiting will not help."""
        try:
            await look_until(stop, "incidents", self._turn, self._disconnect, self._metrics.retries)
        finally:
            self._disconnect()

    async def _turn(self) -> float:
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(
                self._database_url, timeout=CONNECT_TIMEOUT_S, command_timeout=STATEMENT_TIMEOUT_S,
                server_settings={"application_name": "robovitals incidents"},
            )  # fmt: skip
            self._ours = False
        self._ours = self._ours or await self._connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK)
        if self._ours:
            await self.look(self._connection, datetime.now(UTC))
        return LOOK_EVERY_S

    async def look(self, connection: Connection, now: datetime) -> None:
        """Do what is to be done by now."""
        for fault in await tables.ask(connection, "faults", now - BACK, AT_ONCE):
            await self._on_fault(connection, fault, now)
        await self.complete(connection, now)
        if time.monotonic() - self._appended_s >= APPEND_EVERY_S:
            await self._append(connection, now)
            self._appended_s = time.monotonic()
        await self._tell_logbooks(connection)  # last: Kafka may be away for long

    async def complete(self, connection: Connection, now: datetime, incident_id: str | None = None) -> None:
        """Those whose windows are over; or that one. One that cannot be completed does not keep the others."""
        for incident in await tables.awaited(connection, incident_id):
            if not is_due(incident, now):
                continue
            try:
                if await freeze.complete(connection, incident, self._platforms):
                    self._metrics.incidents.labels("completed").inc()
            except (TimeoutError, asyncpg.DataError) as error:
                _log.error("incident %s cannot be completed: %r", incident.incident_id, error)

    async def _on_fault(self, connection: Connection, fault: asyncpg.Record, now: datetime) -> None:
        robot_id, episode_id, at = fault["robot_id"], fault["episode_id"], fault["at"]
        if fault["seq"] is None:
            if now - at < FRAME_PATIENCE:
                return  # the alarm was faster than the row
            await connection.execute(_NOTE_FAULT, episode_id, robot_id, at, None, "its frame has not landed")
            return
        async with connection.transaction():
            row = (await tables.ask(connection, "recent", robot_id, at, now))[0]
            because = refusal(Lately(**row))
            incident_id = None if because else id_of(robot_id, fault["boot_id"], fault["seq"])
            if incident_id is not None:
                await tables.open_incident(
                    connection, incident_id, robot_id, at, FAULT, "the robot's own fault mode"
                )
            await connection.execute(_NOTE_FAULT, episode_id, robot_id, at, incident_id, because)
        self._metrics.incidents.labels("passed over" if because else "opened").inc()

    async def _tell_logbooks(self, connection: Connection) -> None:
        if self._tell is None:
            return
        for row in await tables.ask(connection, "untold"):
            await self._tell(Told(**row))
            await connection.execute(
                "UPDATE incident SET told = clock_timestamp() WHERE incident_id = $1", row["incident_id"]
            )

    async def _append(self, connection: Connection, now: datetime) -> None:
        for row in await tables.ask(connection, "late", now - BACK):
            appended = await freeze.append(connection, Incident(**row, is_past=True), self._platforms)
            self._metrics.incidents.labels("appended to").inc(appended > 0)

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None


def is_due(incident: Incident, now: datetime) -> bool:
    """Whether its window has landed, or is not waited for any more."""
    return incident.is_past or now > incident.at + AFTER + PATIENCE
