"""Waiting until a stack has come to rest: all that was sent has gone its whole way.

In: where the servers are, and a ledger's robots. Out: None, or what has not come to rest in time. Called by
`deploy/ledger/check.py`. Step by step, each for what the step before has brought about: frames have landed; nothing
waits for repair and windows hold as many frames as there are rows; vitals that were on their topic by then are
assessed and landed; so is what came of them.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

from aiokafka.errors import KafkaError

from deploy.ledger import broker
from deploy.ledger.broker import Places
from deploy.ledger.rows import Connection
from deploy.settings import Endpoints
from schemas.topics import ANOMALIES, ASSESSOR_APP, FRAMES, HEALTH, VITALS

LOOK_EVERY_S = 0.3

_LANDED = "SELECT topic, partition, next_offset FROM landed"
# Rows that came twice are another check's: a window counts a frame once.
_WINDOWS = """
SELECT (SELECT count(*) FROM late_window WHERE robot_id = ANY($1::text[])) AS late,
       (SELECT count(*) FROM (
            SELECT DISTINCT robot_id, time, seq, boot_id FROM frame WHERE robot_id = ANY($1::text[])
        ) AS own) AS frames,
       (SELECT coalesce(sum(frames), 0) FROM vitals WHERE robot_id = ANY($1::text[])) AS counted"""

Look = Callable[[], Awaitable[str | None]]


class Rest:
    """`say` gets a line whenever what is waited for changes."""

    def __init__(
        self, connection: Connection, servers: Endpoints, codes: list[str], say: Callable[[str], None]
    ) -> None:
        self._connection = connection
        self._kafka = servers.kafka
        self._codes = codes
        self._say = say

    async def wait(self, patience_s: float) -> str | None:
        """None when all is at rest; otherwise what was still waited for after `patience_s`."""
        until_s = time.monotonic() + patience_s
        frames = await broker.ends(self._kafka, FRAMES)
        waited = await self._until(lambda: self._behind(frames), until_s)
        waited = waited or await self._until(self._windows, until_s)
        if not waited:
            vitals = await broker.ends(self._kafka, VITALS)
            waited = await self._until(lambda: self._behind(vitals), until_s)
            waited = waited or await self._until(lambda: self._unassessed(vitals), until_s)
        if not waited:
            told = await broker.ends(self._kafka, HEALTH, ANOMALIES)
            waited = await self._until(lambda: self._behind(told), until_s)
        return waited

    async def _until(self, look: Look, until_s: float) -> str | None:
        said = None
        while True:
            try:
                waited = await look()
            except KafkaError as error:
                waited = f"Kafka: {error!r}"
            if waited is None or time.monotonic() > until_s:
                return waited
            if waited != said:
                self._say(waited)
                said = waited
            await asyncio.sleep(LOOK_EVERY_S)

    async def _behind(self, ends: Places) -> str | None:
        landed = {
            (row["topic"], row["partition"]): row["next_offset"] for row in await self._connection.fetch(_LANDED)
        }
        return _missing({place: end - landed.get(place, 0) for place, end in ends.items()}, "to be landed")

    async def _windows(self) -> str | None:
        row = await self._connection.fetchrow(_WINDOWS, self._codes)
        assert row is not None
        if not row["late"] and row["frames"] == row["counted"]:
            return None
        return f"{row['late']} windows to be repaired; windows count {row['counted']} of {row['frames']} frames"

    async def _unassessed(self, ends: Places) -> str | None:
        done = await broker.committed(self._kafka, ASSESSOR_APP, VITALS)
        return _missing({place: end - done.get(place, 0) for place, end in ends.items()}, "to be assessed")


def _missing(behind: dict[tuple[str, int], int], what: str) -> str | None:
    late = {place: number for place, number in behind.items() if number > 0}
    if not late:
        return None
    topics = ", ".join(sorted({topic for topic, _ in late}))
    return f"{sum(late.values())} records of {topics} {what}"
