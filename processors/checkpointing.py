"""Checkpoints of all logbooks: made in the database, then published in a file and on a topic.

In: the database, the platform's key, our file, Kafka. Out: `logbook_checkpoint`, lines of the file, records of
`fleet.checkpoints`. Called by `processors/retain.py`, and once by `robovitals logbook checkpoint`.

One is made only when there is something new. Its transaction holds all logbooks (`CHECKPOINT_LOCK`), so it has each
entry or is older than it; what takes long, the checking of seals, is done before that. Its time is that of the
newest receipt that it has: no clock of ours is in it. Publishing comes after the commit and is made good where a
crash left it out: the file by the number of its last line, the topic by `published`; so a record may come twice on
the topic.
"""

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

import asyncpg
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from processors.checkpoint_file import CheckpointFile, opened
from processors.pinning import Linked, followed, linked
from processors.roll_tables import Connection
from schemas.canonical import canonical
from schemas.checkpoint import CHECKPOINT_LOCK, Head, Published, decode_published, publish
from schemas.entry import decode_record
from schemas.errors import ContractError, RejectError, RetryError
from schemas.kafka import Kafka
from schemas.merkle import root
from schemas.topics import CHECKPOINTS
from schemas.tree import block_roots, split

Row: TypeAlias = asyncpg.Record

PORTION = 2000
SEND_TIMEOUT_S = 10.0

_LOCK = "SELECT pg_advisory_xact_lock($1)"
_SEALED = """
SELECT robot_id, number, record FROM logbook_entry WHERE checkpoint IS NULL ORDER BY robot_id, number"""
_DIGESTS = """
SELECT robot_id, number, sha256(record) AS digest, (extract(epoch FROM received) * 1000000)::bigint AS received_us
FROM logbook_entry WHERE checkpoint IS NULL ORDER BY robot_id, number"""
_RECORDS = """
SELECT robot_id, number, record FROM logbook_entry
JOIN unnest($1::text[], $2::integer[]) AS asked (robot_id, number) USING (robot_id, number)"""
_HEADS = "SELECT robot_id, entries, chain FROM logbook_head ORDER BY robot_id"
_LOG = "SELECT leaf FROM logbook_checkpoint ORDER BY size"
_LAST = "SELECT line FROM logbook_checkpoint ORDER BY size DESC LIMIT 1"
_LEAVES = "SELECT leaves FROM logbook_tree"
_PIN_ENTRIES = "UPDATE logbook_entry SET checkpoint = $1 WHERE checkpoint IS NULL"
_PIN_HEADS = """
UPDATE logbook_head SET pinned_entries = entries, pinned_chain = chain
WHERE (pinned_entries, pinned_chain) IS DISTINCT FROM (entries, chain)"""
_ADD = """
INSERT INTO logbook_checkpoint (size, time, leaf, line)
VALUES ($1, to_timestamp(0) + $2::bigint * interval '1 us', $3, $4)"""
_DROP_TREE = "DELETE FROM logbook_tree"
_ADD_TREE = "INSERT INTO logbook_tree (size, leaves, blocks) VALUES ($1, $2, $3)"
_LINE = "SELECT line FROM logbook_checkpoint WHERE size = $1"
_LINES_AFTER = "SELECT line FROM logbook_checkpoint WHERE size > $1 ORDER BY size"
_UNPUBLISHED = "SELECT size, line FROM logbook_checkpoint WHERE published IS NULL ORDER BY size"
_PUBLISHED = "UPDATE logbook_checkpoint SET published = now() WHERE size = $1"
_UNPINNED_S = """
SELECT coalesce(extract(epoch FROM now() - min(received)), 0)::float8 FROM logbook_entry WHERE checkpoint IS NULL"""


class Checked(NamedTuple):
    digest: bytes
    linked: Linked


class _Before(NamedTuple):
    """The checkpoint before: the leaves of its log, and those of the heads it has."""

    log: Sequence[bytes]
    leaves: Sequence[bytes]
    time_us: int


class Checkpointer:
    """`platforms`: keys that links and checkpoints may be of, this one's among them; `path`: the file."""

    def __init__(self, private: Ed25519PrivateKey, platforms: frozenset[str], path: Path, kafka: Kafka) -> None:
        self._private = private
        self._platforms = platforms
        self._path = path
        self._kafka = kafka

    async def make(self, connection: Connection, turned: Callable[[], None] = lambda: None) -> Published | None:
        """The next one, if there is something new; `turned` is called while that goes on.

        Raises ContractError where the past is not what it was.
        """
        with opened(self._path) as file:
            kept = file.last()
        checked = await self._check(connection, turned)
        async with connection.transaction():
            await connection.execute(_LOCK, CHECKPOINT_LOCK)
            before = await self._before(connection, kept)
            rows = await connection.fetch(_DIGESTS)
            if not rows:
                return None
            new: dict[str, list[Linked]] = defaultdict(list)
            await self._recheck(connection, rows, checked)
            for row in rows:
                new[row["robot_id"]].append(checked[row["robot_id"], row["number"]].linked)
            time_us = max(before.time_us, max(row["received_us"] for row in rows))
            heads = [Head(robot_id=r, entries=e, chain=c) for r, e, c in await connection.fetch(_HEADS)]
            line, leaves, blocks = await asyncio.to_thread(self._publish, before, heads, new, time_us)
            size = line.checkpoint.size
            await connection.execute(_PIN_ENTRIES, size)
            await connection.execute(_PIN_HEADS)
            await connection.execute(_ADD, size, time_us, line.checkpoint.leaf, canonical(line))
            await connection.execute(_DROP_TREE)
            await connection.execute(_ADD_TREE, size, leaves, blocks)
        return line

    def _publish(
        self, before: _Before, heads: Sequence[Head], new: dict[str, list[Linked]], time_us: int
    ) -> tuple[Published, bytes, bytes]:
        pinned = followed(before.leaves, heads, new)
        line = publish(before.log, pinned, time_us, self._private)
        leaves = [head.leaf for head in pinned]
        return line, b"".join(leaves), b"".join(block_roots(leaves))

    async def _check(self, connection: Connection, turned: Callable[[], None]) -> dict[tuple[str, int], Checked]:
        """The seals of all that is new, while others append."""
        checked: dict[tuple[str, int], Checked] = {}
        async with connection.transaction(readonly=True):
            cursor = await connection.cursor(_SEALED)
            while rows := await cursor.fetch(PORTION):
                checked |= await asyncio.to_thread(self._sealed, rows)
                turned()
        return checked

    async def _recheck(
        self, connection: Connection, rows: Sequence[Row], checked: dict[tuple[str, int], Checked]
    ) -> None:
        """Those that came, or were changed, since."""
        places = [(robot_id, number) for robot_id, number, digest, _ in rows
                  if (robot_id, number) not in checked or checked[robot_id, number].digest != digest]  # fmt: skip
        if places:
            found = await connection.fetch(_RECORDS, [robot for robot, _ in places], [n for _, n in places])
            checked |= await asyncio.to_thread(self._sealed, found)

    def _sealed(self, rows: Sequence[Row]) -> dict[tuple[str, int], Checked]:
        found = {}
        for robot_id, number, data in rows:
            try:
                link = linked(robot_id, decode_record(data), self._platforms)
            except RejectError as error:
                raise ContractError(
                    f"robot {robot_id}, entry {number}: {error.detail}: `robovitals verify-log {robot_id}`"
                ) from None
            found[robot_id, number] = Checked(hashlib.sha256(data).digest(), link)
        return found

    async def _before(self, connection: Connection, kept: Published | None) -> _Before:
        """As the database has it, held against the line that our file ends with."""
        line = await connection.fetchval(_LAST)
        if line is None:
            if kept is not None:
                raise ContractError(f"{self._path} has checkpoint {kept.checkpoint.size}, the database has none")
            return _Before([], [], 0)
        last = _decoded(line)
        if kept is not None:
            await self._hold(connection, kept)
        log = [leaf for (leaf,) in await connection.fetch(_LOG)]
        leaves = split(await connection.fetchval(_LEAVES) or b"")
        checkpoint = last.checkpoint
        if not last.is_authentic or checkpoint.platform not in self._platforms:
            raise ContractError(f"checkpoint {checkpoint.size} is not signed by a key of the platform")
        if (root(log).hex(), len(log)) != (checkpoint.root, checkpoint.size):
            raise ContractError(f"the checkpoints before {checkpoint.size} are not those that it was made of")
        if root(leaves).hex() != checkpoint.heads_root:
            raise ContractError(f"the heads of checkpoint {checkpoint.size} are not those that it was made of")
        return _Before(log, leaves, checkpoint.time_us)

    async def _hold(self, connection: Connection, kept: Published) -> None:
        if await connection.fetchval(_LINE, kept.checkpoint.size) != canonical(kept):
            raise ContractError(
                f"checkpoint {kept.checkpoint.size} is another in {self._path} than in the database"
            )

    async def publish(self, connection: Connection) -> int:
        """What is not in our file or on the topic yet. Returns how many records. Raises RetryError."""
        with opened(self._path) as file:
            await self._write(connection, file)
        waiting = await connection.fetch(_UNPUBLISHED)
        if waiting:
            await self._send(connection, [(row["size"], row["line"]) for row in waiting])
        return len(waiting)

    async def _write(self, connection: Connection, file: CheckpointFile) -> None:
        kept = file.last()
        if kept is not None:
            await self._hold(connection, kept)
        lines = [line for (line,) in await connection.fetch(_LINES_AFTER, kept.checkpoint.size if kept else 0)]
        if lines:
            file.append(lines)

    async def _send(self, connection: Connection, lines: Sequence[tuple[int, bytes]]) -> None:
        producer = AIOKafkaProducer(**self._kafka.client(), enable_idempotence=True)
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                await producer.start()
                for size, line in lines:
                    await producer.send_and_wait(CHECKPOINTS.name, line)
                    await connection.execute(_PUBLISHED, size)
        except (KafkaError, TimeoutError, OSError) as error:
            raise RetryError(f"{CHECKPOINTS.name} does not take checkpoints: {error!r}") from error
        finally:
            await producer.stop()


def _decoded(line: bytes) -> Published:
    try:
        return decode_published(line)
    except RejectError as error:
        raise ContractError(f"the last checkpoint in the database is none: {error.detail}") from None


async def unpinned_s(connection: Connection) -> float:
    """How long the oldest entry has been there that no checkpoint has."""
    return float(await connection.fetchval(_UNPINNED_S))
