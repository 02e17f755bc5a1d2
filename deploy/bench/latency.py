"""How long a frame takes to its row, and a reading beyond its alarm limit to its event, under a steady load.

In: servers of a stack that runs, a rate, how long. Out: `Latencies`. Called by `robovitals bench latency`.

The load is open-loop: when each frame is due is fixed beforehand, and every time here begins at that moment. So
whatever stalls, this program included, counts against us. Rows are looked for on a connection of its own, and a
row is seen when the answer is here: a time is too long by up to one poll, never too short.
"""

import asyncio
from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import monotonic, time_ns
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaConnectionError, UnknownTopicOrPartitionError

from deploy.bench.load import Load, Plan, make_plan
from deploy.settings import Endpoints
from ingest.publish import Publisher
from schemas.anomaly import Transition, decode_anomaly
from schemas.errors import UnavailableError
from schemas.topics import ANOMALIES
from serve import database

LEAD_IN_S = 15.0  # the default window and its grace: from then on windows close while we measure
GIVE_UP_S = 15.0  # after the last frame
TICK_S = 0.001
POLL_S = 0.003
EVENT_POLL_S = 0.1

# A lookup in the key's index for each, whatever the planner thinks of the table.
_ROWS = """
SELECT sent.robot_id, sent.time, sent.seq, landed.received
FROM unnest($1::text[], $2::timestamptz[], $3::bigint[]) AS sent (robot_id, time, seq)
CROSS JOIN LATERAL (
    SELECT received FROM frame
    WHERE frame.robot_id = sent.robot_id AND frame.time = sent.time AND frame.seq = sent.seq AND frame.boot_id = $4
    LIMIT 1
) AS landed
"""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Awaited:
    """What was sent and is not seen yet, with when it was due (monotonic); and how long the others took."""

    due_s: dict[Hashable, float] = field(default_factory=dict)
    took_s: list[float] = field(default_factory=list)

    def seen(self, key: Hashable, now_s: float) -> None:
        """What is not awaited, or was seen before, is somebody else's."""
        due_s = self.due_s.pop(key, None)
        if due_s is not None:
            self.took_s.append(now_s - due_s)


@dataclass(slots=True)
class Latencies:
    """In seconds. `to_broker_s` are the probes' by the broker's time stamp, which has whole ms; `behind_s` how late
    they were handed to the producer; `polls_s` how far apart two looks for rows were.
    """

    frames: int
    rows: Awaited = field(default_factory=Awaited)
    events: Awaited = field(default_factory=Awaited)
    to_broker_s: list[float] = field(default_factory=list)
    behind_s: list[float] = field(default_factory=list)
    polls_s: list[float] = field(default_factory=list)


async def measure(servers: Endpoints, rate: float, seconds: float) -> Latencies:
    """Raises UnavailableError where a server, the topics or the tables are not there."""
    plan = make_plan(rate, LEAD_IN_S, seconds)
    connection = await database.connect(servers.database_url)
    consumer = AIOKafkaConsumer(ANOMALIES.name, bootstrap_servers=servers.kafka_bootstrap)
    try:
        await _begin(consumer, servers.kafka_bootstrap)
        async with Publisher(servers.kafka_bootstrap, "robovitals.bench") as publisher:
            return await _Run(plan).run(publisher, connection, consumer)
    except asyncpg.UndefinedTableError:
        raise UnavailableError("the database has no tables of ours: `robovitals migrate`") from None
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise UnavailableError(f"the database went away while measuring ({error}): `robovitals doctor`") from None
    finally:
        await consumer.stop()
        connection.terminate()


async def _begin(consumer: AIOKafkaConsumer, bootstrap: str) -> None:
    """Read only events that come from now on."""
    try:
        await consumer.start()
    except KafkaConnectionError:
        raise UnavailableError(f"no Kafka answers at {bootstrap}: `robovitals doctor`") from None
    except UnknownTopicOrPartitionError:
        raise UnavailableError(f"topic {ANOMALIES.name} does not exist: `robovitals topics`") from None
    await consumer.seek_to_end()


class _Run:
    """One measurement: three loops, which end when all is seen, or GIVE_UP_S after the last frame."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._start_s, self._start_us = monotonic(), time_ns() // 1000
        self._load = Load(plan, self._start_us)
        self._until_s: float | None = None
        self._found = Latencies(plan.frames)

    async def run(
        self, publisher: Publisher, connection: "asyncpg.Connection[Any]", consumer: AIOKafkaConsumer
    ) -> Latencies:
        await asyncio.gather(self._send(publisher), self._watch_rows(connection), self._watch_events(consumer))
        return self._found

    def _waits(self, awaited: Awaited) -> bool:
        return self._until_s is None or (bool(awaited.due_s) and monotonic() < self._until_s)

    async def _send(self, publisher: Publisher) -> None:
        """Each tick everything that is due by then."""
        plan, sent = self._plan, 0
        while sent < plan.frames:
            now_s = monotonic() - self._start_s
            due = min(plan.frames, int(now_s * plan.rate) + 1)
            for number in range(sent, due):
                await self._send_one(publisher, number)
            sent = due
            await asyncio.sleep(TICK_S)
        self._until_s = monotonic() + GIVE_UP_S
        await publisher.flush()

    async def _send_one(self, publisher: Publisher, number: int) -> None:
        frame, due_s = self._load.frame(number), self._start_s + self._plan.due_s(number)
        is_probe = number in self._plan.probes
        if is_probe:
            time = _EPOCH + timedelta(microseconds=frame.time_us)
            self._found.rows.due_s[frame.robot_id, time, frame.seq] = due_s
        if joint := self._plan.crossings.get(number):
            self._found.events.due_s[frame.robot_id, f"joint/{joint}", frame.time_us] = due_s
        await publisher.send(frame)
        if is_probe:
            self._found.behind_s.append(monotonic() - due_s)

    async def _watch_rows(self, connection: "asyncpg.Connection[Any]") -> None:
        """Look again and again for the rows of the probes that are out."""
        found, rows = self._found, self._found.rows
        look = await connection.prepare(_ROWS)
        looked_s = monotonic()
        while self._waits(rows):
            robots, times, seqs = zip(*rows.due_s, strict=True) if rows.due_s else ((), (), ())
            landed = await look.fetch(robots, times, seqs, self._load.boot_id)
            now_s = monotonic()
            for robot, time, seq, received in landed:
                rows.seen((robot, time, seq), now_s)
                found.to_broker_s.append((received - time).total_seconds())
            found.polls_s.append(now_s - looked_s)
            looked_s = now_s
            await asyncio.sleep(POLL_S)

    async def _watch_events(self, consumer: AIOKafkaConsumer) -> None:
        events = self._found.events
        while self._waits(events):
            polled = await consumer.getmany(timeout_ms=round(1000 * EVENT_POLL_S))
            now_s = monotonic()
            for record in (record for records in polled.values() for record in records):
                anomaly = decode_anomaly(record.value)
                if anomaly.transition is Transition.OPENED:
                    events.seen((anomaly.robot_id, anomaly.component, anomaly.first_us), now_s)
