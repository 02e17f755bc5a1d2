"""The outbox from its other end: what is due for a receiver, and what came of it. SQL, and nothing that waits.

Called by `processors/notify/delivering.py` and `processors/notify/notifier.py`, with a pool of connections.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple, TypeAlias

import asyncpg

from processors.notify.composing import Head
from processors.notify.receivers import Receiver
from processors.notify.schedule import Answer
from processors.notify.sql import Connection, at, sql

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"

TOLD_DAYS = 30  # as long as the topic keeps what it is about
GIVEN_UP_AFTER_DAYS = 4  # longer than the retries of a message take


class Claimed(NamedTuple):
    """A delivery that is being sent. `attempts`: with this one, whose id is `attempt`."""

    id: int
    delivery_id: str
    event: bytes
    test: bool
    attempts: int
    attempt: int


class Figures(NamedTuple):
    name: str
    disabled: bool
    pending: int
    oldest_s: float


class Queue:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def register(self, receivers: Sequence[Receiver]) -> None:
        """The file's receivers, for whoever asks the database."""
        names, kinds = [receiver.name for receiver in receivers], [receiver.kind for receiver in receivers]
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(sql("register"), names, kinds)
            await connection.execute(sql("unregister"), names)

    async def recover(self, receiver: str, now_us: int) -> None:
        """What was being sent when it was ended goes out again."""
        await self._pool.execute(sql("recover"), receiver, at(now_us))

    async def is_silent(self, receiver: str, now_us: int) -> bool:
        """Whether nothing may be sent to it now: it is disabled, or wants to be left alone."""
        row = await self._pool.fetchrow(sql("standing"), receiver, at(now_us))
        return row is None or row["disabled"] or row["paused"]

    async def heads(self, receiver: str, now_us: int, count: int) -> list[Head]:
        """What is due, of each episode the first."""
        rows = await self._pool.fetch(sql("heads"), receiver, at(now_us), count)
        return [Head(*row) for row in rows]

    async def bundle(self, receiver: str, bundle: str, now_us: int, count: int) -> list[Head]:
        """What goes out together with the first of a bundle that is due."""
        rows = await self._pool.fetch(sql("bundle"), receiver, at(now_us), count, bundle)
        return [Head(row["id"], row["delivery_id"], "", bundle) for row in rows]

    async def message(self, message_id: str) -> list[int]:
        """What was in a message that was sent before: again the same."""
        return [row["id"] for row in await self._pool.fetch(sql("message"), message_id)]

    async def claim(self, ids: Sequence[int], message_id: str, now_us: int) -> list[Claimed]:
        rows = await self._pool.fetch(sql("claim"), list(ids), message_id, at(now_us))
        return [Claimed(*row) for row in rows]

    async def delivered(self, claimed: Sequence[Claimed], receiver: str, answer: Answer, now_us: int) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            await self._note(connection, claimed, answer)
            await connection.execute(sql("finish"), _ids(claimed), "delivered", None, at(now_us), "")
            await connection.execute(sql("note_success"), receiver, at(now_us))

    async def again(
        self, claimed: Sequence[Claimed], receiver: str, answer: Answer, due_us: int, pause: bool
    ) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            await self._note(connection, claimed, answer)
            await connection.execute(sql("finish"), _ids(claimed), "pending", at(due_us), None, "")
            if pause:
                await connection.execute(sql("pause"), receiver, at(due_us))

    async def given_up(self, claimed: Sequence[Claimed], answer: Answer, why: str, now_us: int) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            await self._note(connection, claimed, answer)
            await connection.execute(sql("finish"), _ids(claimed), "failed", None, at(now_us), why)

    async def gone(self, claimed: Sequence[Claimed], receiver: str, answer: Answer, why: str, now_us: int) -> None:
        """The receiver is disabled. What it did not want waits for `robovitals deliveries enable`."""
        async with self._pool.acquire() as connection, connection.transaction():
            await self._note(connection, claimed, answer)
            await connection.execute(sql("finish"), _ids(claimed), "pending", at(now_us), None, why)
            await connection.execute(sql("disable"), receiver, at(now_us), why)

    async def active(self, receiver: str, count: int, after: str) -> list[tuple[str, bytes, bool]]:
        """The last event of each episode that the receiver takes for open, in the order of the episodes' ids: id,
        bytes, whether it is a test.
        """
        return [tuple(row) for row in await self._pool.fetch(sql("active_alerts"), receiver, count, after)]

    async def figures(self, now_us: int) -> list[Figures]:
        return [Figures(*row) for row in await self._pool.fetch(sql("figures"), at(now_us))]

    async def prune(self, now_us: int) -> None:
        """Forget episodes that are long over, and give up what nobody can be told. What is finished stays until
        `robovitals retain` drops it.
        """
        now = at(now_us)
        await self._pool.execute(sql("give_up"), now, now - timedelta(days=GIVEN_UP_AFTER_DAYS))
        await self._pool.execute(sql("prune_told"), now - timedelta(days=TOLD_DAYS))

    @staticmethod
    async def _note(connection: Connection, claimed: Sequence[Claimed], answer: Answer) -> None:
        await connection.execute(
            sql("note_attempts"), [one.attempt for one in claimed], round(1000 * answer.duration_s), answer.code,
            answer.body, answer.error,
        )  # fmt: skip


def _ids(claimed: Sequence[Claimed]) -> list[int]:
    return [one.id for one in claimed]
