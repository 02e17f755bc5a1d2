"""Holds a ledger's book against the tables and topics of a stack.

In: a book, and where the servers are. Out: a `Verdict`, one line a promise. Called by `robovitals verify` and by
the fault rounds. Set by set and some robots at a time, so that a million frames take minutes and little memory.
"""

import hashlib
from collections.abc import Callable

import asyncpg
import numpy as np

from deploy.ledger import broker, episodes, match, recount, rows, short
from deploy.ledger.book import ACKNOWLEDGED, INTENDED, Book, Records
from deploy.ledger.frames import poison_value
from deploy.ledger.fresh import FRESH_WITHIN_S, is_visible
from deploy.ledger.match import DOUBLED, LOST, PAYLOAD, UNKNOWN, Known
from deploy.ledger.plan import Flags, Plan
from deploy.ledger.rest import Rest
from deploy.ledger.rows import Connection
from deploy.ledger.verdict import Check, Verdict
from deploy.settings import Endpoints
from schemas.anomaly import decode_anomaly
from schemas.topics import ANOMALIES, FRAMES

IMPOSSIBLE, REJECTS, OFFSETS, LATE, VITALS, FRESH, REST = (
    "impossible values are noted",
    "poison is rejected once, with its bytes",
    "stored offsets are the log's ends",
    "no window waits for repair",
    "vitals are what the rows say",
    "a fresh frame becomes visible",
    "the stack comes to rest",
)
PROMISES = (
    REST, LOST, DOUBLED, UNKNOWN, PAYLOAD, IMPOSSIBLE, REJECTS, OFFSETS, LATE, VITALS, episodes.EPISODES,
    episodes.TRANSITIONS, episodes.TOPIC, FRESH,
)  # fmt: skip
ROWS_AT_ONCE = 50_000
# After so long an episode of a window of 10 s with a grace of 5 s is over; with shorter ones sooner.
CLEARED_AFTER_US = 60_000_000

_REJECTS = """
SELECT partition, record_offset, sha256(value) AS digest FROM reject WHERE topic = $1 AND key = ANY($2::bytea[])"""
_IMPOSSIBLE = """
SELECT robot_id, (extract(epoch FROM time) * 1000000)::bigint, seq, boot_id, signal, joint, value
FROM impossible_reading WHERE robot_id = ANY($1::text[])"""
_ANOMALIES = """
SELECT *, (extract(epoch FROM first_time) * 1000000)::bigint AS first_us,
       (extract(epoch FROM last_time) * 1000000)::bigint AS last_us
FROM anomaly WHERE robot_id = ANY($1::text[])"""
_LATE = "SELECT robot_id, start, reason FROM late_window WHERE robot_id = ANY($1::text[])"


class Checker:
    """One book against one stack. `say` gets what is waited for, a line at a time."""

    def __init__(self, book: Book, servers: Endpoints, say: Callable[[str], None]) -> None:
        self._plan: Plan = book.plan
        self._records: Records = book.records()
        self._servers = servers
        self._say = say
        self._checks = {name: Check(name) for name in PROMISES}

    async def run(self, patience_s: float) -> Verdict:
        """Wait for rest, at most `patience_s`, and check everything."""
        connection = await asyncpg.connect(self._servers.database_url, timeout=30)
        try:
            rest = await Rest(connection, self._servers, self._plan.codes, self._say).wait(patience_s)
            self._checks[REST].count(1)
            if rest:
                named = await short.windows(connection, self._plan, self._records)
                self._checks[REST].add(1, [rest, *named])
            await self._offsets(connection)
            await self._frames(connection)
            await self._rejects(connection)
            await self._anomalies(connection)
            self._checks[FRESH].count(1)
            if not await is_visible(connection, self._servers.kafka, self._plan):
                self._checks[FRESH].add(1, [f"one that was sent is not visible within {FRESH_WITHIN_S:.0f} s"])
        finally:
            await connection.close()
        acknowledged = int((self._records.state == ACKNOWLEDGED).sum())
        return Verdict(self._plan.seed, len(self._records.number), acknowledged, rest, list(self._checks.values()))

    def _known(self) -> Known:
        good = ~self._plan.is_poison(self._records.number)
        state, numbers = self._records.state, self._records.number
        return Known(
            np.unique(self._plan.place(numbers[good & (state == ACKNOWLEDGED)])),
            np.unique(self._plan.place(numbers[good & (state != INTENDED)])),
        )

    async def _frames(self, connection: Connection) -> None:
        """Rows, impossible readings and vitals, some robots at a time."""
        plan, known = self._plan, self._known()
        at_once = max(1, ROWS_AT_ONCE * plan.robots // max(1, len(known.attempted)))
        for start in range(0, plan.robots, at_once):
            robots = range(start, min(start + at_once, plan.robots))
            codes, own = plan.codes[robots.start : robots.stop], known.of(robots, plan)
            found = await rows.frames(connection, codes)
            match.compare(plan, robots, found, own, self._checks)
            await self._impossible(connection, codes, found, robots)
            self._checks[LATE].count(len(robots))
            late = await connection.fetch(_LATE, codes)
            self._checks[LATE].add(len(late), (f"{r['robot_id']} {r['start']}: {r['reason']}" for r in late))
            windows = await rows.vitals(connection, codes)
            self._checks[VITALS].count(len(windows))
            differences = list(recount.compare(found, windows, codes))
            self._checks[VITALS].add(len(differences), differences)

    async def _impossible(
        self, connection: Connection, codes: list[str], found: rows.Columns, robots: range
    ) -> None:
        place = self._plan.place_of(found.robot + robots.start, found.integers["boot_id"], found.integers["seq"])
        expected = match.impossible(self._plan, place)
        noted = [tuple(row) for row in await connection.fetch(_IMPOSSIBLE, codes)]
        different = expected ^ set(noted)
        check = self._checks[IMPOSSIBLE]
        check.count(len(expected))
        check.add(len(different) + len(noted) - len(set(noted)), map(repr, different))

    async def _rejects(self, connection: Connection) -> None:
        check, plan, records = self._checks[REJECTS], self._plan, self._records
        poison = plan.is_poison(records.number)
        at = {(p, o): (n, bad) for n, p, o, bad in _acknowledged(records, poison)}
        keys = [code.encode() for code in plan.codes]
        found = {
            (r["partition"], r["record_offset"]): r["digest"]
            for r in await connection.fetch(_REJECTS, FRAMES.name, keys)
        }
        unsure = {_digest(plan, n) for n in records.number[poison & (records.state == 1)].tolist()}
        check.count(sum(bad for _, bad in at.values()))
        for place, (number, bad) in at.items():
            if bad and place not in found:
                check.add(1, [f"record {number} at {place} is not in reject"])
            elif bad and found[place] != _digest(plan, number):
                check.add(1, [f"record {number} at {place} has other bytes in reject"])
            elif not bad and place in found:
                check.add(1, [f"record {number} at {place} is good, and in reject"])
        for place, digest in found.items():
            if place not in at and digest not in unsure:
                check.add(1, [f"what is rejected at {place} was not acknowledged"])

    async def _offsets(self, connection: Connection) -> None:
        """Of the frames' topic: stored is where the log ends, and beyond all that was acknowledged."""
        check, records = self._checks[OFFSETS], self._records
        ends = await broker.ends(self._servers.kafka, FRAMES)
        query = "SELECT partition, next_offset FROM landed WHERE topic = $1"
        landed = {row["partition"]: row["next_offset"] for row in await connection.fetch(query, FRAMES.name)}
        check.count(len(ends))
        for (_, partition), end in ends.items():
            highest = int(records.offset[records.partition == partition].max(initial=-1))
            stored = landed.get(partition, 0)
            if not highest < stored == end:
                where = f"partition {partition}: {stored} is stored"
                check.add(1, [f"{where}, the log ends at {end}, the last acknowledged was {highest}"])

    async def _anomalies(self, connection: Connection) -> None:
        plan, checks = self._plan, self._checks
        stored = await connection.fetch(_ANOMALIES, plan.codes)
        own = set(plan.codes)
        told = [decode_anomaly(record.value) for record in await broker.messages(self._servers.kafka, ANOMALIES)]
        known = self._known()
        intervals = plan.intervals(known.acknowledged)
        ahead = episodes.robots_ahead(plan) & set(np.unique(known.acknowledged % plan.robots).tolist())
        episodes.episodes(plan, intervals, ahead, stored, checks[episodes.EPISODES])
        episodes.transitions(stored, checks[episodes.TRANSITIONS])
        last_us = plan.start_us + int(plan.since_us(known.acknowledged.max(initial=0)))
        episodes.cleared(plan, intervals, last_us - CLEARED_AFTER_US, stored, checks[episodes.TRANSITIONS])
        episodes.topic([a for a in told if a.robot_id in own], stored, checks[episodes.TOPIC])


def _acknowledged(records: Records, poison: Flags) -> list[tuple[int, int, int, bool]]:
    """Number, partition, offset, and whether it is poison."""
    chosen = records.state == ACKNOWLEDGED
    columns = (records.number, records.partition, records.offset, poison.astype(np.int64))
    return [(n, p, o, bool(bad)) for n, p, o, bad in zip(*(c[chosen].tolist() for c in columns), strict=True)]


def _digest(plan: Plan, number: int) -> bytes:
    return hashlib.sha256(poison_value(plan, number)).digest()
