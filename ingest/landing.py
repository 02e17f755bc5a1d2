"""Rows and offsets in one transaction: what makes a frame land exactly once.

In: batches, in the order of their partitions. Out: what was landed, or what to do instead. Called by
`ingest/writer.py`, which alone knows about waiting and trying again.

A batch's transaction stores its rows, its rejects (of what was forged the first of a day) and what it saw for the
first time, and moves the stored offsets from where the batch starts to where it ends. An offset that is not where
the batch starts means that another lander owns the partition now: nothing of the batch is kept. A COMMIT whose
answer was lost is settled by reading the offsets again.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ingest.batch import Batch, Content, FrameContent, LogbookContent
from ingest.database_errors import DRIVER_ERRORS, Outcome, one_line, outcome_of
from ingest.logbook_rows import append_entries
from ingest.seal_rows import add_events, note_uses, stored_before
from ingest.sealed import Group, Place, kept_rejects, replayed
from ingest.statements import Connection, add_rejects, add_robots, move_offsets, store
from schemas.errors import ContractError, RejectError, RetryError, StopError, UnavailableError
from schemas.frame import SEAL_REASONS
from schemas.reject import Reject

CONNECT_TIMEOUT_S = 10.0
# Each is verified and sealed, some ms with its rows, while the session waits: well below STATEMENT_TIMEOUT_S.
MOST_ENTRIES = 1000

# A lander that was stopped in the middle holds row locks that its successor waits for: the server ends such
# sessions, both when they are idle and when they sit in a COPY that does not go on.
STATEMENT_TIMEOUT_S = 20.0
# Well below it: a batch that waits for somebody's lock is not too large, and halving it would not help.
LOCK_TIMEOUT_S = 5.0
_SESSION = {
    "application_name": "robovitals land",
    "statement_timeout": f"{STATEMENT_TIMEOUT_S:.0f}s",
    "lock_timeout": f"{LOCK_TIMEOUT_S:.0f}s",
    "idle_in_transaction_session_timeout": f"{STATEMENT_TIMEOUT_S:.0f}s",
    "jit": "off",
}

_READ_OFFSETS = """
SELECT partition, next_offset, (extract(epoch FROM last_received) * 1000)::bigint AS last_ms
FROM landed WHERE topic = $1"""
_BEGIN_OFFSETS = """
INSERT INTO landed (topic, partition, next_offset)
SELECT $1, partition, next_offset FROM unnest($2::integer[], $3::bigint[]) AS new (partition, next_offset)
ON CONFLICT DO NOTHING"""
_RECENT_REJECTS = """
SELECT record_offset FROM reject
WHERE topic = $1 AND partition = $2 AND record_offset >= $3 AND reason <> ALL ($4::text[])"""


@dataclass(frozen=True, slots=True)
class Landed:
    """The batch is in the database. `duplicates`: rows that were there already."""

    duplicates: int


@dataclass(frozen=True, slots=True)
class Fenced:
    """Nothing was kept: another lander has moved the offsets of some of the batch's partitions."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing was kept: some record of the batch cannot be stored. Halve it, until one record stands alone."""

    detail: str


@dataclass(frozen=True, slots=True)
class TooMuch:
    """Nothing was kept: so much at once cannot be done. Halve it."""

    detail: str


@dataclass(frozen=True, slots=True)
class Replayed:
    """Nothing was kept: these records are copies of rows that landed long ago (`ingest/sealed.py`)."""

    found: dict[Place, str]


@dataclass(frozen=True, slots=True)
class Judged:
    """Nothing was kept: the logbooks do not take these entries (`ingest/appending.py`)."""

    found: dict[Place, RejectError]


Attempt = Landed | Fenced | Refused | TooMuch | Replayed | Judged


@dataclass(frozen=True, slots=True)
class Stored:
    """Of one partition the next offset to land, and when the broker had the record before it (None: not known)."""

    next: int
    last_ms: int | None


class Landing:
    """One connection, used by one call at a time, and the robots it has seen, with the versions of their keys.

    `platform`: what links of logbooks are sealed with; without it none can be appended to.
    """

    def __init__(self, database_url: str, platform: Ed25519PrivateKey | None = None) -> None:
        self._url = database_url
        self._platform = platform
        self._connection: Connection | None = None
        self._lock = asyncio.Lock()
        self._robots: set[bytes] = set()
        self._versions: dict[bytes, int] = {}
        # Topics whose last batch held duplicates: the next is then likely to hold some too (a replay), and an
        # optimistic COPY would be thrown away.
        self._repeating: set[str] = set()

    async def connect(self) -> None:
        """Open the connection if there is none. Raises RetryError, or StopError where waiting will not help."""
        if self._connection is None or self._connection.is_closed():
            try:
                self._connection = await asyncpg.connect(
                    self._url,
                    timeout=CONNECT_TIMEOUT_S,
                    command_timeout=STATEMENT_TIMEOUT_S + CONNECT_TIMEOUT_S,
                    server_settings=_SESSION,
                )
            except DRIVER_ERRORS as error:
                raise self._failure(error) from error

    async def close(self) -> None:
        """Close the connection; what was not committed is gone."""
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                await connection.close(timeout=1)
            except DRIVER_ERRORS:
                connection.terminate()

    async def offsets(self, topic: str, beginnings: dict[int, int]) -> dict[int, Stored]:
        """Where each partition of `beginnings` stands, which is where one that is new begins."""
        async with self._lock:
            return await self._offsets(topic, beginnings)

    async def _offsets(self, topic: str, beginnings: dict[int, int]) -> dict[int, Stored]:
        connection = await self._open()
        try:
            await connection.execute(_BEGIN_OFFSETS, topic, list(beginnings), list(beginnings.values()))
            rows = await connection.fetch(_READ_OFFSETS, topic)
        except DRIVER_ERRORS as error:
            raise self._failure(error) from error
        found = {row["partition"]: Stored(row["next_offset"], row["last_ms"]) for row in rows}
        return {partition: found[partition] for partition in beginnings}

    async def rejected_since(self, topic: str, partition: int, offset: int) -> list[int]:
        """The offsets from `offset` on that were rejected, but for reasons that do not count."""
        async with self._lock:
            connection = await self._open()
            try:
                rows = await connection.fetch(_RECENT_REJECTS, topic, partition, offset, SEAL_REASONS)
            except DRIVER_ERRORS as error:
                raise self._failure(error) from error
        return [row["record_offset"] for row in rows]

    async def land(self, batch: Batch) -> Attempt:
        """One attempt. Raises RetryError, or StopError where waiting will not help; then nothing was kept."""
        if isinstance(batch.content, LogbookContent) and len(batch.content.sent) > MOST_ENTRIES:
            return TooMuch(f"more than {MOST_ENTRIES} entries of logbooks")
        try:
            async with self._lock:
                attempt = await self._optimistic(batch)
        except DRIVER_ERRORS as error:
            match outcome_of(error):
                case Outcome.REFUSED:
                    return Refused(one_line(error))
                case Outcome.TOO_MUCH:
                    return TooMuch(one_line(error))
            raise self._failure(error) from error
        if isinstance(attempt, Landed):
            (self._repeating.add if attempt.duplicates else self._repeating.discard)(batch.topic)
            if isinstance(batch.content, FrameContent):
                self._robots |= batch.content.first_time_us.keys()
                if batch.content.sealed is not None:
                    self._versions |= batch.content.sealed.versions
        return attempt

    async def _optimistic(self, batch: Batch) -> Landed | Fenced | Replayed | Judged:
        if batch.topic not in self._repeating:
            try:
                return await self._transaction(batch, deduplicate=False)
            except asyncpg.UniqueViolationError:
                pass
        return await self._transaction(batch, deduplicate=True)

    async def _transaction(self, batch: Batch, deduplicate: bool) -> Landed | Fenced | Replayed | Judged:
        connection = await self._open()
        await connection.execute("BEGIN")
        try:
            rejects: Sequence[Reject] = batch.rejects
            duplicates = await self._store(connection, batch.content, deduplicate)
            if isinstance(duplicates, Judged):
                await connection.execute("ROLLBACK")
                return duplicates
            if isinstance(batch.content, FrameContent):
                if duplicates and (replays := await _new_replays(connection, batch, batch.content)):
                    await connection.execute("ROLLBACK")
                    return Replayed(replays)
                rejects = kept_rejects(rejects, await self._note_senders(connection, batch.content))
            await add_rejects(connection, rejects)
            elsewhere = await move_offsets(connection, batch.topic, batch.spans)
            if elsewhere:
                await connection.execute("ROLLBACK")
                return Fenced()
        except asyncpg.PostgresError:
            await connection.execute("ROLLBACK")
            raise
        except BaseException:
            connection.terminate()  # the server rolls back what it was left with
            raise
        return await self._commit(connection, batch, Landed(duplicates))

    async def _store(self, connection: Connection, content: Content, deduplicate: bool) -> int | Judged:
        """How many of its rows were there already."""
        if not isinstance(content, LogbookContent):
            return await store(connection, content, deduplicate)
        if not content.sent:
            return 0
        if self._platform is None:
            raise StopError("entries of logbooks cannot be appended without the platform's key")
        appended = await append_entries(connection, content.sent, self._platform, time.time_ns() // 1000)
        return Judged(appended.refused) if appended.refused else appended.duplicates

    async def _note_senders(self, connection: Connection, content: FrameContent) -> dict[Group, int]:
        """Robots that may be new, keys that they may use anew, and who claimed to be one of them. Out: how many
        claimed it before.
        """
        times = content.first_time_us
        await add_robots(connection, {code: times[code] for code in times.keys() - self._robots})
        if content.sealed is not None:
            new = dict(content.sealed.versions.items() - self._versions.items())
            await note_uses(connection, new)
        return await add_events(connection, content.events)

    async def _commit(self, connection: Connection, batch: Batch, landed: Landed) -> Landed | Fenced:
        try:
            await connection.execute("COMMIT")
        except DRIVER_ERRORS as error:
            if isinstance(error, asyncpg.PostgresError) and not connection.is_closed():
                raise  # the server answered: it was rolled back
            connection.terminate()
            return await self._settle(batch, landed)
        return landed

    async def _settle(self, batch: Batch, landed: Landed) -> Landed | Fenced:
        """Was a COMMIT done whose answer was lost? Raises RetryError when not, or when that cannot be asked yet.

        Trying again is safe in any case: if the COMMIT was done after all, the new attempt is fenced.
        """
        stored = await self._offsets(batch.topic, {p: span.first for p, span in batch.spans.items()})
        if any(stored[p].next == span.first for p, span in batch.spans.items()):
            raise RetryError("the connection was lost in a COMMIT, which was not done")
        return landed if all(stored[p].next == span.next for p, span in batch.spans.items()) else Fenced()

    async def _open(self) -> Connection:
        await self.connect()
        if self._connection is None:
            raise RetryError("the connection was closed")
        return self._connection

    def _failure(self, error: BaseException) -> RetryError | StopError:
        if self._connection is not None and not isinstance(error, asyncpg.PostgresError):
            self._connection.terminate()  # its state is not known; the next call opens another
        text = f"the database says: {one_line(error)}"
        if outcome_of(error) in (Outcome.RETRY, Outcome.TOO_MUCH, Outcome.DUPLICATE):
            return RetryError(text)
        if isinstance(error, asyncpg.UndefinedTableError | asyncpg.UndefinedColumnError):
            return ContractError(f"{text}: `robovitals migrate`")
        return UnavailableError(f"{text}: `robovitals doctor`")


async def _new_replays(connection: Connection, batch: Batch, content: FrameContent) -> dict[Place, str]:
    """Records of an open transaction that are replays, and that the batch does not know to be."""
    if content.sealed is None:
        return {}
    found = replayed(content.sealed, await stored_before(connection, content.sealed), batch.records)
    return {place: detail for place, detail in found.items() if place not in batch.replays}
